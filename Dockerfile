# syntax=docker/dockerfile:1
# ROS 2 Jazzy with this workspace and TensorRT, for a machine with an NVIDIA GPU and the NVIDIA container toolkit.
# This file is not part of the tests: it was written by the documentation of its parts, and not run on the machine that
# tests the rest.
#
#   docker build -t blockworld .
#   docker run --rm --gpus all --network host --ipc host blockworld \
#       ros2 launch perception localize.launch.py cameras:=camera_1,camera_2
#
# --network host and --ipc host let DDS reach the cameras on this machine, by shared memory where it can.
FROM ros:jazzy

SHELL ["/bin/bash", "-o", "pipefail", "-c"]
ENV DEBIAN_FRONTEND=noninteractive PIP_NO_CACHE_DIR=1

RUN apt-get update && apt-get install -y --no-install-recommends \
        g++ \
        libegl1 \
        libgl1-mesa-dri \
        python3-colcon-common-extensions \
        python3-dev \
        python3-venv \
        ros-jazzy-cv-bridge \
        ros-jazzy-diagnostic-msgs \
        ros-jazzy-rosbag2-storage-mcap \
        ros-jazzy-rviz2 \
        ros-jazzy-tf2-ros \
        ros-jazzy-visualization-msgs \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /blockworld

# The virtual environment sees the packages of ROS 2. `tensorrt` brings the engine and its Python bindings, and finds
# the driver of the host at run time.
RUN python3 -m venv --system-site-packages .venv \
    && .venv/bin/pip install 'setuptools==79.0.1' 'tensorrt-cu12>=10,<11' cuda-python

# The workspace is built by the Python of the virtual environment, so that the installed nodes start with it.
COPY . .
RUN source /opt/ros/jazzy/setup.bash \
    && .venv/bin/pip install --no-build-isolation -c constraints.txt -e . \
    && source .venv/bin/activate \
    && cd ros_ws \
    && python -m colcon build --merge-install \
        --cmake-args -DBUILD_TESTING=OFF "-DPython3_EXECUTABLE=/blockworld/.venv/bin/python"

ENV BLOCKWORLD_MODELS=/blockworld/models
COPY --chmod=755 <<'EOF' /entrypoint.sh
#!/bin/bash
set -e
source /opt/ros/jazzy/setup.bash
source /blockworld/ros_ws/install/setup.bash
source /blockworld/.venv/bin/activate
exec "$@"
EOF
ENTRYPOINT ["/entrypoint.sh"]
CMD ["ros2", "launch", "perception", "localize.launch.py"]
