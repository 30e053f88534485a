//! The files that a file names: read for the draft, within bounds.
//!
//! What is written relative to the first file stays below its folder, links followed; what the
//! file names by an absolute path elsewhere is read where it is.

use std::fs;
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

use adopt::{Files, Unread, matches};

/// LIMIT: bytes of one file; one more is read, so that it is told.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// LIMIT: entries of folders that one pattern looks at.
const ENTRIES_MAX: usize = 10_000;
/// LIMIT: files that one pattern names.
const FILES_MAX: usize = 1_000;

/// Files as they lie on this machine.
#[derive(Debug)]
pub(super) struct OnDisk {
    /// The first file's folder, without links.
    root: PathBuf,
}

impl OnDisk {
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    fn read(&self, path: &Path) -> Result<(String, Vec<u8>), Unread> {
        let told = |what: &str| Unread(format!("`{}` {what}", path.display()));
        let real = fs::canonicalize(path).map_err(|error| Unread(error.to_string()))?;
        if path.starts_with(&self.root) && !real.starts_with(&self.root) {
            return Err(told("leads out of the folder of the first file"));
        }
        // A pipe or a device would be waited for.
        let is_file = fs::metadata(&real).is_ok_and(|about| about.is_file());
        if !is_file {
            return Err(told("is no file"));
        }
        let file = fs::File::open(&real).map_err(|error| Unread(error.to_string()))?;
        let mut bytes = Vec::new();
        file.take(FILE_BYTES_MAX + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| Unread(error.to_string()))?;
        let shown = path.strip_prefix(&self.root).unwrap_or(path);
        Ok((shown.display().to_string(), bytes))
    }
}

impl Files for OnDisk {
    fn open(&self, pattern: &str) -> Result<Vec<(String, Vec<u8>)>, Unread> {
        let pattern = self.root.join(pattern);
        let is_pattern = |text: &str| text.contains(['*', '?', '[']);
        let mut found = vec![PathBuf::new()];
        let mut seen = 0_usize;
        let mut any = false;
        for part in pattern.components() {
            let text = part.as_os_str().to_string_lossy();
            if !matches!(part, Component::Normal(_)) || !is_pattern(&text) {
                for path in &mut found {
                    path.push(part);
                }
                continue;
            }
            any = true;
            let mut next = Vec::new();
            for folder in &found {
                let Ok(entries) = fs::read_dir(folder) else {
                    continue;
                };
                for entry in entries.flatten() {
                    seen += 1;
                    let name = entry.file_name();
                    let Some(name) = name.to_str().filter(|name| matches(&text, name)) else {
                        continue;
                    };
                    next.push(folder.join(name));
                }
                if seen > ENTRIES_MAX || next.len() > FILES_MAX {
                    return Err(Unread("the pattern stands for too many files".to_owned()));
                }
            }
            next.sort();
            found = next;
        }
        if any {
            found.retain(|path| path.is_file());
        }
        found.iter().map(|path| self.read(path)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, name: &str, text: &str) {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        store::atomic_write(&path, text.as_bytes(), 0o644).unwrap();
    }

    #[test]
    fn files_are_read_below_the_first_ones_folder_and_where_they_are_named() {
        let outer = tempfile::tempdir().unwrap();
        let outer = fs::canonicalize(outer.path()).unwrap();
        let root = outer.join("nginx");
        write(&root, "sites/b.conf", "b");
        write(&root, "sites/a.conf", "a");
        write(&root, "sites/.hidden.conf", "h");
        write(&root, "available/c", "c");
        write(&outer, "secret", "s");
        let link = |to: &str, at: &str| std::os::unix::fs::symlink(to, root.join(at)).unwrap();
        link("../available/c", "sites/c.conf");
        link("../../secret", "available/out");
        let files = OnDisk::new(root.clone());
        let names = |pattern: &str| {
            files.open(pattern).map(|found| {
                let one = |(name, bytes): (String, Vec<u8>)| {
                    format!("{name}={}", String::from_utf8(bytes).unwrap())
                };
                found.into_iter().map(one).collect::<Vec<_>>()
            })
        };
        let sites = vec!["sites/a.conf=a", "sites/b.conf=b", "sites/c.conf=c"];
        assert_eq!(names("sites/*.conf").unwrap(), sites);
        assert_eq!(
            names(&format!("{}/sites/*.conf", root.display())).unwrap(),
            sites
        );
        assert_eq!(names("s*/a.c?nf").unwrap(), ["sites/a.conf=a"]);
        assert_eq!(names("nothing/*").unwrap(), Vec::<String>::new());
        assert!(names("nothing").is_err());
        assert!(names("sites").is_err(), "a folder is no file");
        assert!(names("../secret").is_err());
        assert!(names("available/out").is_err());
        let absolute = outer.join("secret").display().to_string();
        assert_eq!(names(&absolute).unwrap(), [format!("{absolute}=s")]);
    }
}
