//! The project's text files, read once.

use std::path::Path;

use anyhow::Context as _;

/// Folders that are not source.
const SKIPPED: &[&str] = &[".git", "target", "__pycache__"];

/// One text file.
#[derive(Clone, Debug)]
pub(crate) struct File {
    /// Relative to the project, with slashes.
    pub(crate) path: String,
    /// Its content.
    pub(crate) text: String,
}

/// Every text file of the project.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tree {
    /// In the order of their paths.
    pub(crate) files: Vec<File>,
    /// Paths of everything, binary files included.
    pub(crate) paths: Vec<String>,
}

impl Tree {
    pub(crate) fn read(root: &Path) -> anyhow::Result<Self> {
        let mut tree = Self::default();
        tree.walk(root, "")?;
        tree.files.sort_by(|a, b| a.path.cmp(&b.path));
        tree.paths.sort();
        Ok(tree)
    }

    fn walk(&mut self, folder: &Path, prefix: &str) -> anyhow::Result<()> {
        let entries = std::fs::read_dir(folder)
            .with_context(|| format!("cannot read the folder `{}`", folder.display()))?;
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{prefix}{name}");
            let kind = entry.file_type()?;
            if kind.is_dir() {
                if !SKIPPED.contains(&name.as_str()) {
                    self.walk(&entry.path(), &format!("{path}/"))?;
                }
            } else if kind.is_file() {
                // A file that is no UTF-8 is no text; an editor's file may be gone again.
                if let Ok(text) = std::fs::read_to_string(entry.path()) {
                    self.files.push(File {
                        path: path.clone(),
                        text,
                    });
                }
                self.paths.push(path);
            }
        }
        Ok(())
    }

    /// The files that `wanted` holds for.
    pub(crate) fn select<'a>(
        &'a self,
        wanted: impl Fn(&File) -> bool + 'a,
    ) -> impl Iterator<Item = &'a File> + 'a {
        self.files.iter().filter(move |file| wanted(file))
    }
}

impl File {
    /// Whether it is Rust source.
    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Whether it holds tests, or what only tests read.
    pub(crate) fn is_test(&self) -> bool {
        let parts = || self.path.split('/');
        parts().any(|part| {
            matches!(
                part,
                "tests" | "testdata" | "fuzz" | "snapshots" | "testkit" | "campaigns"
            )
        }) || self.path.ends_with("/tests.rs")
            || self.path.ends_with("/testing.rs")
    }

    /// The crate's name, when it lies in one: `crates/model/src/id.rs` is `model`'s.
    pub(crate) fn of_crate(&self) -> Option<&str> {
        let mut parts = self.path.split('/');
        match parts.next()? {
            "crates" => parts.next(),
            "xtask" => Some("xtask"),
            _ => None,
        }
    }

    /// The file's name.
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
}
