//! Addresses of servers: a host and a port, and nothing else.

use lastkey_contract::{ConnectorError, Descriptor, shown_address};

/// The host and the port in `host`, `host:port`, `[::1]` or `[::1]:port`; None for anything else.
pub fn host_and_port(text: &str, usual_port: u16) -> Option<(String, u16)> {
    if text.contains(['/', '@', '?', '#', ' ', '\\']) {
        return None;
    }
    let (host, port) = match text.strip_prefix('[') {
        Some(six) => {
            let (host, after) = six.split_once(']')?;
            match after {
                "" => (host, None),
                after => (host, Some(after.strip_prefix(':')?)),
            }
        }
        None => match text.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let port = match port {
        Some(port) => port.parse::<u16>().ok()?,
        None => usual_port,
    };
    (!host.is_empty() && port != 0).then(|| (host.to_owned(), port))
}

/// `host:port`, with the brackets that an IPv6 address wants.
pub fn authority(host: &str, port: u16) -> String {
    match host.contains(':') {
        true => format!("[{host}]:{port}"),
        false => format!("{host}:{port}"),
    }
}

/// A host alone, whose port is a setting of its own.
pub fn host_alone(address: &str, descriptor: &Descriptor) -> Result<String, ConnectorError> {
    if address.parse::<std::net::Ipv6Addr>().is_ok() {
        return Ok(address.to_owned());
    }
    let alone = !address.contains(':') || address.ends_with(']');
    match host_and_port(address, 1).filter(|_| alone) {
        Some((host, _)) => Ok(host),
        None => Err(descriptor.invalid(
            format!("`{}` is not the name of a server", shown_address(address)),
            "give its name or IP address alone; the port is a setting of its own",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_and_a_port() {
        let of = |text| host_and_port(text, 636);
        assert_eq!(of("h"), Some(("h".to_owned(), 636)));
        assert_eq!(of("h.example:1636"), Some(("h.example".to_owned(), 1636)));
        assert_eq!(of("[::1]"), Some(("::1".to_owned(), 636)));
        assert_eq!(of("[::1]:1"), Some(("::1".to_owned(), 1)));
        for odd in [
            "", ":1", "h:", "h:0", "h:99999", "[::1", "[::1]1", "a/b", "u@h", "h h",
        ] {
            assert_eq!(of(odd), None, "`{odd}`");
        }
    }

    #[test]
    fn an_address_of_six_has_brackets() {
        assert_eq!(authority("h", 22), "h:22");
        assert_eq!(authority("::1", 22), "[::1]:22");
    }
}
