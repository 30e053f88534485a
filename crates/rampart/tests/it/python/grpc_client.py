"""Calls the service through the gateway; says `fine` when everything was as it must be."""

import queue
import sys
import threading
import time

import grpc


def refused(call, code, text):
    try:
        call()
    except grpc.RpcError as error:
        assert error.code() == code, error
        assert text in error.details(), error
        return error
    raise AssertionError(f"{code} was expected")


def calls(channel, service, key, streams):
    keyed = (("authorization", f"Bearer {key}"),)
    path = f"/{service}/"
    unary = channel.unary_unary(path + "Unary")

    refused(lambda: unary(b"x"), grpc.StatusCode.UNAUTHENTICATED, "authenticate.missing")
    wrong = (("authorization", "Bearer rk_aaaaaaaa_bbbb_cccccc"),)
    refused(lambda: unary(b"x", metadata=wrong), grpc.StatusCode.UNAUTHENTICATED, "authenticate.")

    answer, call = unary.with_call(b"hello", metadata=keyed)
    assert answer == b"HELLO", answer
    assert ("x-first", "1") in [tuple(one) for one in call.initial_metadata()]
    last = dict((one.key, one.value) for one in call.trailing_metadata())
    assert last == {"x-last": "2", "x-last-bin": b"\x00\xff"}, last
    large = b"a" * 3_000_000
    assert unary(large, metadata=keyed) == large.upper()

    fail = channel.unary_unary(path + "Fail")
    error = refused(lambda: fail(b"", metadata=keyed), grpc.StatusCode.NOT_FOUND, "no order žluť, 100%")
    assert ("x-reason-bin", b"\x01\x02") in [tuple(one) for one in error.trailing_metadata()]
    nothing = channel.unary_unary(path + "Nothing")
    refused(lambda: nothing(b"", metadata=keyed), grpc.StatusCode.UNIMPLEMENTED, "")

    many = channel.unary_stream(path + "Many")
    assert list(many(b"1000", metadata=keyed)) == [b"%d" % n for n in range(1000)]
    quiet = channel.unary_stream(path + "Quiet")
    answers = quiet(b"", metadata=keyed)
    began = time.monotonic()
    assert next(answers) == b"first"
    assert time.monotonic() - began < 2, "it is sent on at once"
    assert list(answers) == [b"last"]

    gather = channel.stream_unary(path + "Gather")
    assert gather((b"%d" % n for n in range(100)), metadata=keyed) == b",".join(b"%d" % n for n in range(100))

    slow = channel.unary_unary(path + "Slow")
    began = time.monotonic()
    refused(lambda: slow(b"", timeout=0.5, metadata=keyed), grpc.StatusCode.DEADLINE_EXCEEDED, "")
    assert time.monotonic() - began < 5

    if streams:
        talk(channel.stream_stream(path + "Chat"), keyed)

    # Many at once over one connection.
    said = [unary.future(b"n%d" % n, metadata=keyed) for n in range(200)]
    assert [one.result() for one in said] == [b"N%d" % n for n in range(200)]


def talk(chat, keyed):
    """Says the next thing only once the last was answered."""
    to_say = queue.Queue()
    answers = chat(iter(to_say.get, None), metadata=keyed)
    for number in range(50):
        to_say.put(b"%d" % number)
        assert next(answers) == b"re: %d" % number
    # A pause much longer than the smallest rate would let a plain upload make.
    threading.Event().wait(3)
    to_say.put(b"still here")
    assert next(answers) == b"re: still here"
    to_say.put(None)
    assert list(answers) == []


def main(port, authority, key, write):
    with open(authority, "rb") as file:
        credentials = grpc.ssl_channel_credentials(file.read())
    options = (("grpc.ssl_target_name_override", "app.localhost"), ("grpc.max_receive_message_length", 1 << 23))
    with grpc.secure_channel(f"127.0.0.1:{port}", credentials, options) as channel:
        calls(channel, "shop.Streamed", key, True)
        calls(channel, "shop.Held", key, False)
        calls(channel, "shop.Secure", key, True)
        unary = channel.unary_unary("/shop.Written/Unary")
        refused(
            lambda: unary(b"x", metadata=(("authorization", f"Bearer {key}"),)),
            grpc.StatusCode.PERMISSION_DENIED,
            "authorise.permission_missing",
        )
        assert unary(b"x", metadata=(("authorization", f"Bearer {write}"),)) == b"X"
        limited = channel.unary_unary("/shop.Limited/Unary")
        keyed = (("authorization", f"Bearer {key}"),)
        assert limited(b"x", metadata=keyed) == b"X"
        refused(lambda: limited(b"x", metadata=keyed), grpc.StatusCode.RESOURCE_EXHAUSTED, "limits.")
        nowhere = channel.unary_unary("/shop.Nowhere/Unary")
        refused(lambda: nowhere(b"x", metadata=keyed), grpc.StatusCode.UNAVAILABLE, "upstream.refused")
        # However little time a caller gives, it counts here too, not at the service alone.
        odd = keyed + (("x-note", "a b"),)
        assert channel.unary_unary("/shop.Streamed/Unary")(b"x", metadata=odd) == b"X"
    print("fine")


main(int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4])
