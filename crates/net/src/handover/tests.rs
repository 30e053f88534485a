use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use super::*;

const STEP: Duration = Duration::from_secs(10);

fn both() -> (tempfile::TempDir, Talk, Talk) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("door");
    let door = Door::open(&path).unwrap();
    let here = Talk::begin(&path, STEP).unwrap().unwrap();
    let there = door.accept(STEP).unwrap();
    (folder, here, there)
}

#[test]
fn socket_that_is_handed_over_keeps_who_waits_in_its_queue() {
    let (_folder, here, there) = both();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut client = TcpStream::connect(address).unwrap();
    there.send(b"take it", &[listener.as_fd()]).unwrap();
    drop(listener);
    let mut packet = here.receive().unwrap();
    assert_eq!(packet.text, b"take it");
    let taken = listening(packet.descriptors.pop().unwrap()).unwrap();
    assert_eq!(taken.local_addr().unwrap(), address);
    let (mut served, _) = taken.accept().unwrap();
    served.write_all(b"served").unwrap();
    drop(served);
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "served");
}

#[test]
fn nobody_at_the_door_is_nobody_and_no_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("door");
    assert!(Talk::begin(&path, STEP).unwrap().is_none());
    drop(Door::open(&path).unwrap());
    assert!(
        Talk::begin(&path, STEP).unwrap().is_none(),
        "what a dead process left is nobody"
    );
}

#[test]
fn last_one_to_open_the_door_is_found_and_others_cannot_knock() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("door");
    let first = Door::open(&path).unwrap();
    let second = Door::open(&path).unwrap();
    drop(first);
    let here = Talk::begin(&path, STEP).unwrap().unwrap();
    second.accept(STEP).unwrap().send(b"second", &[]).unwrap();
    assert_eq!(here.receive().unwrap().text, b"second");
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn silence_and_absence_are_told_apart() {
    let (_folder, here, there) = both();
    here.wait_at_most(Duration::from_millis(10)).unwrap();
    let silent = here.receive().unwrap_err();
    assert_eq!(silent.kind(), io::ErrorKind::WouldBlock);
    drop(there);
    let gone = here.receive().unwrap_err();
    assert_eq!(gone.kind(), io::ErrorKind::UnexpectedEof);
    assert!(
        here.send(b"anyone?", &[]).is_err(),
        "an error and no signal"
    );
}

#[test]
fn packets_beyond_the_limits_are_refused_and_the_largest_arrive_whole() {
    let (_folder, here, there) = both();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let many = vec![listener.as_fd(); DESCRIPTORS_MAX];
    let long = vec![b'x'; TEXT_BYTES_MAX];
    there.send(&long, &many).unwrap();
    let packet = here.receive().unwrap();
    assert_eq!(packet.text, long);
    assert_eq!(packet.descriptors.len(), DESCRIPTORS_MAX);
    assert!(there.send(&[0; TEXT_BYTES_MAX + 1], &[]).is_err());
    assert!(there.send(b"", &[]).is_err());
    let more = vec![listener.as_fd(); DESCRIPTORS_MAX + 1];
    assert!(there.send(b"x", &more).is_err());
}

#[test]
fn only_listening_tcp_sockets_count() {
    let stream = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        TcpStream::connect(listener.local_addr().unwrap()).unwrap()
    };
    assert!(listening(stream.into()).is_err());
    let datagram = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    assert!(listening(datagram.into()).is_err());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    let local = std::os::unix::net::UnixListener::bind(path).unwrap();
    assert!(listening(local.into()).is_err());
    let file = std::fs::File::open("/dev/null").unwrap();
    assert!(listening(file.into()).is_err());
}
