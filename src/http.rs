//! The one maker of HTTP clients: timeouts, retries, which addresses may be reached.
//!
//! Hosts that the settings name may be anywhere, private networks and loopback too: [`trusted`]. What comes from outside
//! (a calendar's link, a redirect, a payload's URL) may reach public addresses only, checked when the connection is made,
//! literal addresses included: [`guarded`].

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// A client for hosts that the settings name. It follows no redirect: those lead elsewhere.
#[allow(clippy::disallowed_methods)]
pub fn trusted(timeout: Duration) -> reqwest::Result<reqwest::Client> {
    provide_tls();
    reqwest::Client::builder()
        .user_agent(concat!("tidegate/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(timeout.min(Duration::from_secs(5)))
        .timeout(timeout)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
}

/// Clients that are shared by those who wait equally long: one pool of connections, and the certificates of this machine
/// read once for each and not once for each source. They are let go of with the settings that they were made for, so that a
/// reload reads the certificates anew.
#[derive(Debug, Default)]
pub struct Clients(Mutex<Vec<(Duration, reqwest::Client)>>);

impl Clients {
    /// As [`trusted`], and the same client for the same timeout.
    ///
    /// # Errors
    /// Where no client can be made, such as without any certificate on this machine.
    pub fn trusted(&self, timeout: Duration) -> reqwest::Result<reqwest::Client> {
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, client)) = clients.iter().find(|(known, _)| *known == timeout) {
            return Ok(client.clone());
        }
        let client = trusted(timeout)?;
        clients.push((timeout, client.clone()));
        Ok(client)
    }
}

/// A client for addresses that come from outside: public ones only, https only, no redirects.
#[allow(clippy::disallowed_methods)]
pub fn guarded(timeout: Duration) -> reqwest::Result<reqwest::Client> {
    provide_tls();
    reqwest::Client::builder()
        .user_agent(concat!("tidegate/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(timeout.min(Duration::from_secs(5)))
        .timeout(timeout)
        .https_only(true)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .dns_resolver(Arc::new(PublicOnly))
        .build()
}

/// Whether a URL from outside may be asked at all. A literal address never meets the resolver, so it is judged here.
pub fn may_reach(url: &url::Url) -> bool {
    if url.scheme() != "https" {
        return false;
    }
    match url.host() {
        Some(url::Host::Domain(name)) => {
            !name.eq_ignore_ascii_case("localhost") && !name.to_ascii_lowercase().ends_with(".localhost")
        }
        Some(url::Host::Ipv4(address)) => is_public(IpAddr::V4(address)),
        Some(url::Host::Ipv6(address)) => is_public(IpAddr::V6(address)),
        None => false,
    }
}

/// Installs ring as the one TLS provider; asking again changes nothing.
pub fn provide_tls() {
    // Err only says that it was installed before.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

#[derive(Debug)]
struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|address| is_public(address.ip())).collect();
            if public.is_empty() {
                return Err("the address is not a public one".into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

/// Whether an address is one of the public internet: not private, shared, loopback, link-local, multicast, reserved,
/// documentation, nor an IPv6 form that wraps such an IPv4 address (mapped, 6to4, NAT64, Teredo). From the IANA
/// special-purpose address registries.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(a: Ipv4Addr) -> bool {
    let [x, y, z, _] = a.octets();
    !(a.is_private()
        || a.is_loopback()
        || a.is_link_local()
        || a.is_broadcast()
        || a.is_documentation()
        || a.is_multicast()
        || x == 0
        || (x == 100 && (64..128).contains(&y))
        || (x == 192 && y == 0 && z == 0)
        || (x == 192 && y == 88 && z == 99)
        || (x == 198 && (18..20).contains(&y))
        || x >= 240)
}

fn is_public_v6(a: Ipv6Addr) -> bool {
    if let Some(v4) = a.to_ipv4_mapped() {
        return is_public_v4(v4);
    }
    let s = a.segments();
    let embedded = |high: u16, low: u16| {
        let [h, l] = [high.to_be_bytes(), low.to_be_bytes()];
        Ipv4Addr::new(h[0], h[1], l[0], l[1])
    };
    match s {
        // Global unicast is 2000::/3; everything else is special.
        [first, ..] if first & 0xe000 != 0x2000 && !(first == 0x64 && s[1] == 0xff9b) => false,
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => is_public_v4(embedded(high, low)),
        [0x64, ..] => false,
        [0x2002, high, low, ..] => is_public_v4(embedded(high, low)),
        // Teredo, benchmarking, ORCHID, documentation.
        [0x2001, second, ..] if second < 0x200 => false,
        [0x2001, 0xdb8, ..] => false,
        [0x3fff, second, ..] if second < 0x1000 => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_are_not_public_are_refused_in_every_disguise() {
        for url in [
            "https://127.0.0.1/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://0177.0.0.1/",
            "https://10.1.2.3/",
            "https://172.16.0.1/",
            "https://192.168.1.1/",
            "https://169.254.169.254/",
            "https://100.64.0.1/",
            "https://0.0.0.0/",
            "https://[::1]/",
            "https://[::]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:7f00:1]/",
            "https://[fe80::1]/",
            "https://[fc00::1]/",
            "https://[2002:7f00:1::]/",
            "https://[64:ff9b::7f00:1]/",
            "https://[2001:db8::1]/",
            "https://[2001::1]/",
            "https://224.0.0.1/",
            "https://255.255.255.255/",
            "https://198.18.0.1/",
            "https://localhost/",
            "https://x.localhost/",
            "http://example.com/",
            "file:///etc/passwd",
            "https://[::127.0.0.1]/",
        ] {
            assert!(!may_reach(&url.parse().unwrap()), "{url}");
        }
        for url in ["https://example.com/x.ics", "https://93.184.216.34/", "https://[2606:2800:220:1::1]/"] {
            assert!(may_reach(&url.parse().unwrap()), "{url}");
        }
    }
}
