//! Domains that a channel is about: short lists of what everybody knows, one line a domain.
//!
//! A name is of a list when it is the domain or below it. What is not here is not known: the lists are
//! for telling what a place is, not for telling good from bad.

/// What a place is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Packages, images and updates are taken from here.
    Registry,
    /// Text is put here for others to read.
    Paste,
    /// What is posted here somebody reads at once.
    Webhook,
    /// Desktops are shared by way of this.
    RemoteAccess,
    /// Ports inside are reached by way of this, editors of code included.
    Tunnel,
    /// Mines for whoever asks.
    Mining,
}

/// The lists, in the order of the domains.
const PLACES: &[(&str, Kind)] = &[
    ("2miners.com", Kind::Mining),
    ("anydesk.com", Kind::RemoteAccess),
    ("archive.ubuntu.com", Kind::Registry),
    ("bore.pub", Kind::Tunnel),
    ("crates.io", Kind::Registry),
    ("deb.debian.org", Kind::Registry),
    ("deb.nodesource.com", Kind::Registry),
    ("devtunnels.ms", Kind::Tunnel),
    ("discord.com", Kind::Webhook),
    ("dl-cdn.alpinelinux.org", Kind::Registry),
    ("docker.io", Kind::Registry),
    ("download.docker.com", Kind::Registry),
    ("dpaste.com", Kind::Paste),
    ("ethermine.org", Kind::Mining),
    ("f2pool.com", Kind::Mining),
    ("files.pythonhosted.org", Kind::Registry),
    ("gcr.io", Kind::Registry),
    ("ghcr.io", Kind::Registry),
    ("ghostbin.com", Kind::Paste),
    ("github.dev", Kind::Tunnel),
    ("hashvault.pro", Kind::Mining),
    ("hastebin.com", Kind::Paste),
    ("herominers.com", Kind::Mining),
    ("hooks.slack.com", Kind::Webhook),
    ("ix.io", Kind::Paste),
    ("localhost.run", Kind::Tunnel),
    ("localtunnel.me", Kind::Tunnel),
    ("logmein.com", Kind::RemoteAccess),
    ("marketplace.visualstudio.com", Kind::Tunnel),
    ("mcr.microsoft.com", Kind::Registry),
    ("minexmr.com", Kind::Mining),
    ("moneroocean.stream", Kind::Mining),
    ("nanopool.org", Kind::Mining),
    ("ngrok-free.app", Kind::Tunnel),
    ("ngrok.app", Kind::Tunnel),
    ("ngrok.com", Kind::Tunnel),
    ("ngrok.io", Kind::Tunnel),
    ("nicehash.com", Kind::Mining),
    ("open-vsx.org", Kind::Tunnel),
    ("paste.ee", Kind::Paste),
    ("pastebin.com", Kind::Paste),
    ("pinggy.io", Kind::Tunnel),
    ("pipedream.net", Kind::Webhook),
    ("plugins.jetbrains.com", Kind::Tunnel),
    ("proxy.golang.org", Kind::Registry),
    ("pypi.org", Kind::Registry),
    ("quay.io", Kind::Registry),
    ("registry.k8s.io", Kind::Registry),
    ("registry.npmjs.org", Kind::Registry),
    ("registry.yarnpkg.com", Kind::Registry),
    ("rentry.co", Kind::Paste),
    ("repo.maven.apache.org", Kind::Registry),
    ("repo1.maven.org", Kind::Registry),
    ("requestbin.com", Kind::Webhook),
    ("rubygems.org", Kind::Registry),
    ("rustdesk.com", Kind::RemoteAccess),
    ("screenconnect.com", Kind::RemoteAccess),
    ("security.debian.org", Kind::Registry),
    ("security.ubuntu.com", Kind::Registry),
    ("serveo.net", Kind::Tunnel),
    ("splashtop.com", Kind::RemoteAccess),
    ("static.crates.io", Kind::Registry),
    ("supportxmr.com", Kind::Mining),
    ("teamviewer.com", Kind::RemoteAccess),
    ("trycloudflare.com", Kind::Tunnel),
    ("tunnels.api.visualstudio.com", Kind::Tunnel),
    ("update.code.visualstudio.com", Kind::Registry),
    ("webhook.office.com", Kind::Webhook),
    ("webhook.site", Kind::Webhook),
    ("zoho.com", Kind::RemoteAccess),
];

/// A bit for each listed domain, by its hash: nearly all names are on no list, and end here.
#[expect(clippy::indexing_slicing, reason = "worked out when this is compiled")]
const LISTED: [u64; 16] = {
    let (mut bits, mut place) = ([0; 16], 0);
    while place < PLACES.len() {
        let domain = PLACES[place].0.as_bytes();
        let (mut hash, mut left) = (0, domain.len());
        while left > 0 {
            left -= 1;
            hash = longer(hash, domain[left]);
        }
        bits[(hash / 64 % 16) as usize] |= 1 << (hash % 64);
        place += 1;
    }
    bits
};

/// The hash of a name that has one more byte in front.
const fn longer(hash: u32, byte: u8) -> u32 {
    hash.wrapping_mul(31).wrapping_add(byte as u32)
}

/// What a name in lower case is known for, and the longest listed domain that it is below.
pub(super) fn kind(name: &str) -> Option<(&'static str, Kind)> {
    let (mut hash, mut known) = (0, None);
    for (place, byte) in name.bytes().enumerate().rev() {
        if byte == b'.' {
            known = name.get(place + 1..).and_then(|domain| listed(domain, hash)).or(known);
        }
        hash = longer(hash, byte);
    }
    listed(name, hash).or(known)
}

fn listed(domain: &str, hash: u32) -> Option<(&'static str, Kind)> {
    if LISTED.get((hash / 64 % 16) as usize)? & 1 << (hash % 64) == 0 {
        return None;
    }
    let place = PLACES.binary_search_by(|(listed, _)| (*listed).cmp(domain)).ok()?;
    PLACES.get(place).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_in_order_and_have_no_domain_twice() {
        assert!(PLACES.is_sorted_by(|a, b| a.0 < b.0));
    }

    #[test]
    fn a_name_is_of_a_list_when_it_is_below_a_listed_domain() {
        assert_eq!(kind("pastebin.com"), Some(("pastebin.com", Kind::Paste)));
        assert!(PLACES.iter().all(|(domain, of)| kind(domain) == Some((domain, *of))));
        assert_eq!(kind("a.b.ngrok.io"), Some(("ngrok.io", Kind::Tunnel)));
        assert_eq!(kind("notpastebin.com"), None);
        assert_eq!(kind("pastebin.com.evil.example"), None);
        assert_eq!(kind("visualstudio.com"), None);
        assert_eq!(kind(""), None);
    }
}
