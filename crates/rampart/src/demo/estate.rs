//! The demo's own `rampart.toml`.

use std::net::SocketAddr;

/// Where the shop is visited.
pub(crate) const SHOP_HOST: &str = "shop.localhost";
/// Where the console is.
pub(crate) const CONSOLE_HOST: &str = "rampart.localhost";

const TEMPLATE: &str = include_str!("estate.toml");

/// The document that its routes name.
pub(crate) const DOCUMENT: (&str, &str) = ("shop.openapi.yaml", include_str!("shop.openapi.yaml"));

/// The file: the gateway listens on `listen`, the shop on `shop`.
pub(crate) fn source(listen: SocketAddr, shop: SocketAddr) -> String {
    TEMPLATE
        .replace("{listen}", &listen.to_string())
        .replace("{shop}", &shop.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demos_estate_is_valid_and_has_no_warning() {
        let text = source(([127, 0, 0, 1], 8443).into(), ([127, 0, 0, 1], 9000).into());
        let mut sources = rollout::Sources::from(text);
        let (path, document) = DOCUMENT;
        sources
            .documents
            .insert(path.to_owned(), document.to_owned());
        let parsed = sources.check().unwrap();
        assert_eq!(parsed.warnings, Vec::new());
        assert_eq!(parsed.estate.name, "demo");
        assert_eq!(parsed.estate.console.host, CONSOLE_HOST);
        let hosts = parsed
            .estate
            .routes
            .iter()
            .map(|route| route.host.as_deref());
        assert!(hosts.into_iter().all(|host| host == Some(SHOP_HOST)));
    }
}
