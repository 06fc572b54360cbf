"""The environment of ROS 2 processes: this machine alone, the right libraries, a domain that nobody uses."""

import os
import socket
import sys

import pytest

from perception.ros_environment import (
    LARGEST_DOMAIN_ID,
    domain_is_free,
    free_domain_id,
    ros_environment,
    sourced_prefixes,
)


def test_a_child_is_seen_on_this_machine_alone():
    environment = ros_environment(42, base={})
    assert environment["ROS_AUTOMATIC_DISCOVERY_RANGE"] == "LOCALHOST"
    assert environment["ROS_DOMAIN_ID"] == "42"


def test_the_wheels_come_before_libraries_inherited_from_elsewhere():
    environment = ros_environment(base={"LD_LIBRARY_PATH": f"/elsewhere/lib:{sys.prefix}/lib"})
    libraries = environment["LD_LIBRARY_PATH"].split(os.pathsep)
    assert libraries[0] == f"{sys.prefix}/lib"
    assert libraries[-1] == "/elsewhere/lib"
    assert len(libraries) == len(set(libraries))
    assert environment["AMENT_PREFIX_PATH"] == sys.prefix


def test_doing_it_twice_changes_nothing():
    once = ros_environment(3, base={"PATH": "/bin"})
    assert ros_environment(base=once) == once


def test_a_sourced_ros_is_used_as_it_is(tmp_path):
    (tmp_path / "share" / "rclpy").mkdir(parents=True)
    base = {"AMENT_PREFIX_PATH": f"{tmp_path}", "LD_LIBRARY_PATH": f"{tmp_path}/lib"}
    environment = ros_environment(base=base)
    assert sourced_prefixes(base) == [str(tmp_path)]
    assert environment["AMENT_PREFIX_PATH"] == f"{sys.prefix}:{tmp_path}"
    assert environment["LD_LIBRARY_PATH"] == f"{sys.prefix}/lib:{tmp_path}/lib"
    assert "RMW_IMPLEMENTATION" not in environment


def test_logs_need_no_home(tmp_path):
    assert ros_environment(base={})["ROS_LOG_DIR"]
    assert ros_environment(base={"ROS_LOG_DIR": str(tmp_path)})["ROS_LOG_DIR"] == str(tmp_path)


@pytest.mark.parametrize("domain_id", [-1, LARGEST_DOMAIN_ID + 1])
def test_a_domain_out_of_range_is_refused(domain_id):
    with pytest.raises(ValueError, match=f"ROS_DOMAIN_ID is {domain_id}; give a number from 0 to 101"):
        ros_environment(domain_id, base={})


@pytest.mark.parametrize("port_in_domain", [0, 10])
def test_a_domain_whose_ports_are_bound_is_taken(port_in_domain):
    domain_id = free_domain_id()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("", 7400 + 250 * domain_id + port_in_domain))
        assert not domain_is_free(domain_id)
    assert domain_is_free(domain_id)
