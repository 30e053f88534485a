//! The commented file that `rampart init` writes.

/// The starting file for an estate called `name`: a valid estate that needs two lines changed.
/// Characters that no name has become `-`.
#[must_use]
pub fn starter(name: &str) -> String {
    let name: String = name
        .to_lowercase()
        .chars()
        .map(|c| {
            if c.is_ascii_lowercase() || c.is_ascii_digit() {
                c
            } else {
                '-'
            }
        })
        .take(63)
        .collect();
    let name = match name.trim_matches('-') {
        "" => "my-estate",
        trimmed => trimmed,
    };
    include_str!("starter.toml").replace("@NAME@", name)
}

#[cfg(test)]
mod tests;
