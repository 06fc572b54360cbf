"""Names of the engines that can be asked for; `perception.engines` opens them.

The name of an engine that runs, in logs and estimates, is one of these too, but for "auto" and "onnxruntime", which
choose.
"""

AUTO = "auto"
ENGINES: dict[str, str] = {
    AUTO: "the fastest that is ready on this machine: a TensorRT engine that was built, else ONNX Runtime on a GPU, "
    "else 8 bits on a processor that multiplies bytes, else single precision",
    "onnxruntime": "ONNX Runtime in single precision, on a GPU where the installed build knows one, else the processor",
    "onnxruntime-cpu": "ONNX Runtime on the processor",
    "onnxruntime-cpu-int8": "the same in 8 bits",
    "onnxruntime-cuda": "ONNX Runtime on an NVIDIA GPU",
    "onnxruntime-tensorrt": "ONNX Runtime's own way into TensorRT, which builds its engines as it starts",
    "onnxruntime-openvino": "ONNX Runtime on OpenVINO",
    "openvino-fp32": "OpenVINO on the processor",
    "openvino-bf16": "the same in bfloat16, where the processor has it",
    "openvino-int8": "the same in 8 bits",
    "tensorrt-fp16": "TensorRT in half precision, built by `blockworld engine build`",
    "tensorrt-fp32": "TensorRT in single precision",
    "tensorrt-int8": "TensorRT in 8 bits",
}
