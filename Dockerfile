# syntax=docker/dockerfile:1
# ROS 2 Jazzy with this workspace and TensorRT, for a machine with an NVIDIA GPU and the NVIDIA container toolkit.
# This file is not part of the tests: it was written by the documentation of its parts, and not run on the machine that
# tests the rest.
#
#   docker build -t blockworld .
#   docker volume create blockworld-engines
#   docker run --rm --gpus all -v blockworld-engines:/engines blockworld blockworld engine build coarse tool fine block
#   docker run --rm --gpus all --network host --ipc host -v blockworld-engines:/engines blockworld \
#       ros2 launch perception localize.launch.py cameras:=camera_1,camera_2
#
# The third line builds the engines for the GPU of this machine, which takes minutes, once; a launch never does. Without
# them, or without a GPU, the networks run on the processor. --network host and --ipc host let DDS reach the cameras on
# this machine, by shared memory where it can; shared memory is shared among processes of one user, so run the container
# as the user of the camera drivers: --user "$(id -u):$(id -g)" (and a folder of this user in place of the volume).
FROM ros:jazzy

SHELL ["/bin/bash", "-o", "pipefail", "-c"]
ENV PIP_NO_CACHE_DIR=1

# ros:jazzy brings the compiler, colcon, launch, rosbag2 with MCAP and the standard messages.
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        python3-dev \
        python3-venv \
        ros-jazzy-tf2-ros-py \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /blockworld

# The virtual environment sees the packages of ROS 2. TensorRT for CUDA 13, as cuda-bindings in constraints.txt; the
# driver comes from the host, and must be one for CUDA 13 (580 or newer).
ARG TENSORRT=tensorrt-cu13==11.4.0.106
RUN python3 -m venv --system-site-packages .venv \
    && .venv/bin/pip install setuptools==79.0.1 "$TENSORRT"

# Both packages of the workspace are built by the Python of the virtual environment, so that the installed nodes start
# with it.
COPY . .
RUN .venv/bin/pip install --no-build-isolation -c constraints.txt -e '.[tensorrt]' \
    && source /opt/ros/jazzy/setup.bash \
    && source .venv/bin/activate \
    && cd ros_ws \
    && python -m colcon build --merge-install \
        --cmake-args -DBUILD_TESTING=OFF "-DPython3_EXECUTABLE=/blockworld/.venv/bin/python"

COPY --chmod=755 <<'EOF' /entrypoint.sh
#!/bin/bash
set -e
source /opt/ros/jazzy/setup.bash
source /blockworld/ros_ws/install/setup.bash
source /blockworld/.venv/bin/activate
exec "$@"
EOF

# Your own models: -v FOLDER:/blockworld/models:ro. HOME and logs are where any user may write.
ENV BLOCKWORLD_MODELS=/blockworld/models \
    BLOCKWORLD_ENGINES=/engines \
    HOME=/tmp \
    ROS_LOG_DIR=/tmp/ros \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
RUN install -d -o 1000 -g 1000 /engines
VOLUME /engines
USER 1000:1000

# Healthy: the localizer is active. LOCALIZER is its full name, as /robot_1/localizer in a namespace.
ENV LOCALIZER=/localizer
HEALTHCHECK --interval=30s --timeout=20s --start-period=60s \
    CMD /entrypoint.sh ros2 lifecycle get --no-daemon --spin-time 5 "$LOCALIZER" | grep -q '^active'

STOPSIGNAL SIGINT
ENTRYPOINT ["/entrypoint.sh"]
CMD ["ros2", "launch", "perception", "localize.launch.py"]
