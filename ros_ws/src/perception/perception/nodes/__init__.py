"""The ROS 2 nodes: they translate between messages and the library. Nothing else imports rclpy."""
