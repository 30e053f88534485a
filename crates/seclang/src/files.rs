//! Files the rules name, through a trait: the engine itself opens none.

/// Reads what `Include`, `@pmFromFile`, `@ipMatchFromFile` and `SecUnicodeMapFile` name.
///
/// `from` is the file that names it, as that was loaded; a relative `path` is meant beside it.
pub trait Files {
    /// The bytes of one file.
    ///
    /// # Errors
    /// Why it cannot be read, for the author of the rules.
    fn read(&self, from: &str, path: &str) -> Result<Vec<u8>, String>;

    /// The names of the files that `pattern` (a path, or one with `*`) means, sorted.
    ///
    /// # Errors
    /// Why there are none, for the author of the rules.
    fn list(&self, from: &str, pattern: &str) -> Result<Vec<String>, String>;
}

/// Rules that may name no files.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFiles;

impl Files for NoFiles {
    fn read(&self, _from: &str, path: &str) -> Result<Vec<u8>, String> {
        Err(format!(
            "`{path}` cannot be read: these rules may name no files"
        ))
    }

    fn list(&self, _from: &str, pattern: &str) -> Result<Vec<String>, String> {
        Err(format!(
            "`{pattern}` cannot be read: these rules may name no files"
        ))
    }
}
