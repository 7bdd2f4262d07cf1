//! The host and port that everything is sent to.

/// A host and a port, reached by `https`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// An IPv6 address stands without its brackets.
    pub host: String,
    pub port: u16,
}

impl Origin {
    /// `https://host:port`, for sentences.
    pub fn address(&self) -> String {
        format!("https://{}", lastkey_tls::authority(&self.host, self.port))
    }

    /// What stands in `Host`: without the port where it is the usual one.
    pub(crate) fn authority(&self) -> String {
        match self.port {
            443 if !self.host.contains(':') => self.host.clone(),
            port => lastkey_tls::authority(&self.host, port),
        }
    }

    /// The path and query of a link that leads to this origin; None where it leads elsewhere, or
    /// holds what no link holds.
    pub fn path_of<'a>(&self, link: &'a str) -> Option<&'a str> {
        let rest = link.strip_prefix("https://")?;
        let (authority, path) = rest.split_at(rest.find('/')?);
        let (host, port) = lastkey_tls::host_and_port(authority, 443)?;
        let same = host.eq_ignore_ascii_case(&self.host) && port == self.port;
        let plain = |b: u8| b.is_ascii_graphic() && b != b'"' && b != b'<' && b != b'>';
        (same && path.bytes().all(plain)).then_some(path)
    }
}

#[cfg(test)]
mod tests {
    use super::Origin;

    fn origin(host: &str, port: u16) -> Origin {
        Origin {
            host: host.to_owned(),
            port,
        }
    }

    #[test]
    fn origins_are_written_as_addresses() {
        assert_eq!(origin("h", 8200).address(), "https://h:8200");
        assert_eq!(origin("::1", 443).address(), "https://[::1]:443");
        assert_eq!(origin("h", 443).authority(), "h");
        assert_eq!(origin("h", 8200).authority(), "h:8200");
        assert_eq!(origin("::1", 443).authority(), "[::1]:443");
    }

    #[test]
    fn links_lead_nowhere_else() {
        let origin = origin("h.example", 8443);
        let path = |link| origin.path_of(link);
        assert_eq!(path("https://H.example:8443/x?page=2"), Some("/x?page=2"));
        for link in [
            "http://h.example:8443/x",
            "https://h.example/x",
            "https://h.example:8443",
            "https://h.example:8443.evil.example/x",
            "https://h.example:8443@evil.example/x",
            "https://evil.example:8443/x",
            "https://h.example:8443/x y",
            "/x",
            "",
        ] {
            assert_eq!(path(link), None, "{link}");
        }
    }
}
