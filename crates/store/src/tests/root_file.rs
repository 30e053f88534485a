//! The root key file, and files that are there whole or not at all.

use std::os::unix::fs::PermissionsExt as _;

use keyring::RootKey;
use testkit::SeededEntropy;

use crate::*;

fn set_mode(path: &std::path::Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn root_key_is_made_private_and_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let (path, data) = (folder.path().join("root.key"), folder.path().join("data"));
    let made = load_or_create_root_key(&path, &data, &SeededEntropy::new(1)).unwrap();
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let read = load_or_create_root_key(&path, &data, &SeededEntropy::new(2)).unwrap();
    assert_eq!(made.to_text().expose(), read.to_text().expose());
}

#[test]
fn root_key_others_can_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (path, data) = (folder.path().join("root.key"), folder.path().join("data"));
    load_or_create_root_key(&path, &data, &SeededEntropy::new(1)).unwrap();
    set_mode(&path, 0o640);
    let error = load_root_key(&path).unwrap_err();
    assert!(
        matches!(error, RootFileError::Open { mode: 0o640, .. }),
        "{error:?}"
    );
}

#[test]
fn root_key_in_the_data_folder_or_a_work_tree_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir_all(data.join("deep")).unwrap();
    let inside = data.join("deep/root.key");
    let error = load_or_create_root_key(&inside, &data, &SeededEntropy::new(1)).unwrap_err();
    assert!(matches!(error, RootFileError::Place { .. }), "{error:?}");
    let tree = folder.path().join("tree");
    std::fs::create_dir_all(tree.join(".git")).unwrap();
    let error =
        load_or_create_root_key(&tree.join("root.key"), &data, &SeededEntropy::new(1)).unwrap_err();
    assert!(matches!(error, RootFileError::Place { .. }), "{error:?}");
}

#[test]
fn link_to_a_root_key_in_the_data_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let key = RootKey::generate(&SeededEntropy::new(1)).to_text();
    atomic_write(&data.join("root.key"), key.expose().as_bytes(), 0o600).unwrap();
    let link = folder.path().join("root.key");
    std::os::unix::fs::symlink(data.join("root.key"), &link).unwrap();
    let error = load_or_create_root_key(&link, &data, &SeededEntropy::new(1)).unwrap_err();
    assert!(matches!(error, RootFileError::Place { .. }), "{error:?}");
}

#[test]
fn of_many_starts_at_once_one_makes_the_root_key_and_all_use_it() {
    let folder = tempfile::tempdir().unwrap();
    let (path, data) = (folder.path().join("root.key"), folder.path().join("data"));
    let keys = std::thread::scope(|scope| {
        let starts: Vec<_> = (0..8)
            .map(|seed| {
                let (path, data) = (&path, &data);
                scope.spawn(move || load_or_create_root_key(path, data, &SeededEntropy::new(seed)))
            })
            .collect();
        starts
            .into_iter()
            .map(|start| {
                start
                    .join()
                    .unwrap()
                    .map(|key| key.to_text().expose().clone())
            })
            .collect::<Vec<_>>()
    });
    let stored = std::fs::read_to_string(&path).unwrap();
    for key in keys {
        assert_eq!(key.unwrap(), stored.trim());
    }
}

#[test]
fn writers_of_one_file_at_once_leave_it_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    std::thread::scope(|scope| {
        for letter in b'a'..b'i' {
            let path = &path;
            scope.spawn(move || {
                for _ in 0..10 {
                    atomic_write(path, &[letter; 10_000], 0o600).unwrap();
                }
            });
        }
    });
    let bytes = std::fs::read(&path).unwrap();
    assert_eq!(bytes.len(), 10_000);
    assert!(bytes.iter().all(|byte| *byte == bytes[0]));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn damaged_root_key_is_refused_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (path, data) = (folder.path().join("root.key"), folder.path().join("data"));
    atomic_write(&path, b"rampart-root-key-v1:AAAA\n", 0o600).unwrap();
    let error = load_or_create_root_key(&path, &data, &SeededEntropy::new(1)).unwrap_err();
    assert!(matches!(error, RootFileError::Content { .. }), "{error:?}");
    assert_eq!(std::fs::read(&path).unwrap(), b"rampart-root-key-v1:AAAA\n");
}

#[test]
fn atomic_write_replaces_whole_files_and_leaves_nothing_beside() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    atomic_write(&path, b"one", 0o600).unwrap();
    atomic_write(&path, b"two", 0o640).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"two");
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o640
    );
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    assert!(atomic_write(&folder.path().join("no/such"), b"x", 0o600).is_err());
}
