//! A small writer of YAML: maps, lists and texts, every text in quotes that could be taken for
//! something else.

/// A value to be written.
#[derive(Debug)]
pub(super) enum Out {
    Map(Vec<(String, Self)>),
    List(Vec<Self>),
    Text(String),
    /// A number or a boolean, as it is.
    Plain(String),
}

impl Out {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub(super) fn plain(value: &dyn std::fmt::Display) -> Self {
        Self::Plain(value.to_string())
    }

    /// Writes it as a document.
    pub(super) fn document(&self) -> String {
        let mut out = String::new();
        self.write(0, &mut out);
        out
    }

    fn write(&self, depth: usize, out: &mut String) {
        match self {
            Self::Map(members) => {
                for (at, (name, value)) in members.iter().enumerate() {
                    if at > 0 || !out.ends_with("- ") {
                        indent(depth, out);
                    }
                    quoted(name, out);
                    out.push(':');
                    value.after(depth, out);
                }
            }
            Self::List(items) => {
                for item in items {
                    indent(depth, out);
                    out.push('-');
                    match item {
                        Self::Map(members) if !members.is_empty() => {
                            out.push(' ');
                            item.write(depth + 1, out);
                        }
                        _ => item.after(depth, out),
                    }
                }
            }
            Self::Text(_) | Self::Plain(_) => self.after(depth, out),
        }
    }

    /// What follows a colon or a dash.
    fn after(&self, depth: usize, out: &mut String) {
        match self {
            Self::Map(members) if members.is_empty() => out.push_str(" {}\n"),
            Self::List(items) if items.is_empty() => out.push_str(" []\n"),
            Self::Map(_) | Self::List(_) => {
                out.push('\n');
                self.write(depth + 1, out);
            }
            Self::Text(text) => {
                out.push(' ');
                quoted(text, out);
                out.push('\n');
            }
            Self::Plain(text) => {
                out.push(' ');
                out.push_str(text);
                out.push('\n');
            }
        }
    }
}

fn indent(depth: usize, out: &mut String) {
    for _ in 0..depth {
        out.push_str("  ");
    }
}

fn quoted(text: &str, out: &mut String) {
    let word = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '/' | '.'));
    // Words that some reader of YAML, of any age, takes for something else.
    let lower = text.to_ascii_lowercase();
    let taken = matches!(
        &*lower,
        "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n"
    );
    if word && !taken {
        out.push_str(text);
        return;
    }
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            ' '..='~' => out.push(c),
            c if c.is_alphanumeric() => out.push(c),
            c => out.push_str(&format!("\\U{:08x}", u32::from(c))),
        }
    }
    out.push('"');
}
