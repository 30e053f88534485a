use super::*;

#[test]
fn several_sockets_share_one_address() {
    let first = bind_tcp("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = first.local_addr().unwrap();
    let second = bind_tcp(address).unwrap();
    assert_eq!(second.local_addr().unwrap(), address);
}

#[test]
fn address_of_another_machine_is_an_error_that_names_it() {
    let error = bind_tcp("192.0.2.1:1".parse().unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "cannot listen on `192.0.2.1:1`");
}

#[tokio::test]
async fn local_socket_has_its_mode_and_lets_its_own_user_in() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.sock");
    let access = UnixAccess {
        mode: 0o600,
        also: None,
    };
    let listener = bind_unix(&path, access).await.unwrap();
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let _client = UnixStream::connect(&path).await.unwrap();
    let (peer, _) = listener.accept().await.unwrap();
    assert_eq!(
        permitted_peer(&peer, access),
        Some(rustix::process::geteuid().as_raw())
    );
}

#[tokio::test]
async fn socket_of_a_dead_process_is_replaced_and_a_living_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.sock");
    let access = UnixAccess {
        mode: 0o600,
        also: None,
    };
    drop(bind_unix(&path, access).await.unwrap());
    assert!(path.exists());
    let _living = bind_unix(&path, access).await.unwrap();
    assert!(matches!(
        bind_unix(&path, access).await,
        Err(Error::BindUnix { .. })
    ));
}
