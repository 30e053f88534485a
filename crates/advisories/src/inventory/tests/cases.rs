use std::path::{Path, PathBuf};

use super::super::{Format, read, recognise};
use super::{options_for, told};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/inventory")
}

/// Files of the table: folder of the case, file, what it names.
fn cases() -> Vec<(String, PathBuf, String)> {
    let mut cases = Vec::new();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let case = entry.unwrap().path();
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        let mut files: Vec<PathBuf> = files(&case);
        let at = files.iter().position(|file| file.ends_with("expected"));
        let expected = std::fs::read_to_string(files.remove(at.unwrap())).unwrap();
        assert_eq!(files.len(), 1, "{name}: one file and what it names");
        cases.push((name, files.remove(0), expected));
    }
    cases.sort();
    cases
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else {
            files.push(path);
        }
    }
    files
}

/// Format and bytes of each case's file.
pub(crate) fn corpus() -> Vec<(Format, Vec<u8>)> {
    let cases = cases().into_iter();
    cases
        .map(|(name, file, _)| {
            let format = recognise(&file.to_string_lossy()).expect(&name);
            (format, std::fs::read(file).unwrap())
        })
        .collect()
}

#[test]
fn each_file_names_what_its_table_says() {
    let mut wrong = Vec::new();
    for (name, file, expected) in cases() {
        let format = recognise(&file.to_string_lossy()).expect(&name);
        let found = match read(format, &std::fs::read(&file).unwrap(), &options_for(format)) {
            Ok(inventory) => told(&inventory),
            Err(error) => format!("error: {error}\n"),
        };
        if found != expected {
            wrong.push(format!(
                "== {name}\n-- found\n{found}-- expected\n{expected}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What alone says nothing has no case of its own.
#[test]
fn every_format_has_a_case() {
    let seen: Vec<Format> = corpus().into_iter().map(|(format, _)| format).collect();
    for format in Format::all().filter(|format| *format != Format::GoSum) {
        assert!(seen.contains(&format), "{format:?}");
    }
}
