//! What a file is: by its name, else by what stands in it.

use std::fmt;

use serde::Serialize;

/// A format that an estate can be made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// `nginx.conf`, or a part of it.
    Nginx,
    /// `Caddyfile`.
    Caddy,
    /// `compose.yaml`, with Traefik's labels.
    Compose,
    /// An OpenAPI document.
    Openapi,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nginx => "nginx",
            Self::Caddy => "caddy",
            Self::Compose => "compose",
            Self::Openapi => "openapi",
        })
    }
}

impl Kind {
    /// What a file is, where name or content say it.
    #[must_use]
    pub fn detect(name: &str, text: &str) -> Option<Self> {
        let base = name.rsplit('/').next().unwrap_or(name).to_ascii_lowercase();
        let yaml = base.ends_with(".yaml") || base.ends_with(".yml") || base.ends_with(".json");
        if base.starts_with("caddyfile") || base.ends_with(".caddyfile") || base.ends_with(".caddy")
        {
            return Some(Self::Caddy);
        }
        if yaml {
            return Self::of_yaml(&base, text);
        }
        Self::of_blocks(&base, text)
    }

    fn of_yaml(base: &str, text: &str) -> Option<Self> {
        let starts = |word: &str| {
            text.lines()
                .any(|line| line.trim_start_matches(['{', ' ', '"']).starts_with(word))
        };
        if starts("openapi\":") || starts("openapi:") || starts("swagger") {
            Some(Self::Openapi)
        } else if starts("services:") || base.contains("compose") {
            Some(Self::Compose)
        } else {
            None
        }
    }

    fn of_blocks(base: &str, text: &str) -> Option<Self> {
        // nginx ends what it says with `;`, Caddy with the line.
        let lines = || text.lines().map(str::trim);
        let said = |word: &str| {
            lines().any(|line| {
                line.strip_prefix(word)
                    .is_some_and(|rest| rest.starts_with([' ', '\t', '{']))
            })
        };
        let ended = lines().any(|line| !line.starts_with('#') && line.contains(';'));
        let any = |words: &[&str]| words.iter().any(|word| said(word));
        if ended && any(&["server", "http", "upstream", "location"]) {
            Some(Self::Nginx)
        } else if any(&["reverse_proxy", "handle", "handle_path", "file_server"]) {
            Some(Self::Caddy)
        } else if base.starts_with("nginx") && (ended || text.contains('{')) {
            Some(Self::Nginx)
        } else {
            None
        }
    }
}
