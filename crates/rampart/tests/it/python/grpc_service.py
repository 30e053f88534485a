"""A gRPC service without generated code: bytes in, bytes out, of every kind a call can be."""

import sys
import time
from concurrent import futures

import grpc


def unary(request, context):
    seen = dict(context.invocation_metadata())
    assert seen["rampart-assertion"], seen
    assert "authorization" not in seen, seen
    context.send_initial_metadata((("x-first", "1"),))
    context.set_trailing_metadata((("x-last", "2"), ("x-last-bin", b"\x00\xff")))
    return request.upper()


def fail(request, context):
    context.set_trailing_metadata((("x-reason-bin", b"\x01\x02"),))
    context.abort(grpc.StatusCode.NOT_FOUND, "no order žluť, 100%")


def many(request, context):
    for number in range(int(request)):
        yield b"%d" % number


def gather(requests, context):
    return b",".join(requests)


def chat(requests, context):
    for request in requests:
        yield b"re: " + request


def slow(request, context):
    time.sleep(30)
    return b"late"


def quiet(request, context):
    yield b"first"
    time.sleep(3)
    yield b"last"


METHODS = {
    "Unary": grpc.unary_unary_rpc_method_handler(unary),
    "Fail": grpc.unary_unary_rpc_method_handler(fail),
    "Slow": grpc.unary_unary_rpc_method_handler(slow),
    "Many": grpc.unary_stream_rpc_method_handler(many),
    "Quiet": grpc.unary_stream_rpc_method_handler(quiet),
    "Gather": grpc.stream_unary_rpc_method_handler(gather),
    "Chat": grpc.stream_stream_rpc_method_handler(chat),
}


class Calls(grpc.GenericRpcHandler):
    def service(self, details):
        return METHODS.get(details.method.rsplit("/", 1)[1])


server = grpc.server(futures.ThreadPoolExecutor(32))
server.add_generic_rpc_handlers((Calls(),))
if len(sys.argv) > 2:
    with open(sys.argv[2], "rb") as key, open(sys.argv[3], "rb") as chain:
        credentials = grpc.ssl_server_credentials([(key.read(), chain.read())])
    server.add_secure_port(f"127.0.0.1:{sys.argv[1]}", credentials)
else:
    server.add_insecure_port(f"127.0.0.1:{sys.argv[1]}")
server.start()
server.wait_for_termination()
