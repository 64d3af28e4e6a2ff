//! The world outside: services with names and addresses, as sites, content networks and clouds
//! have them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::rc::Rc;

use super::calendar::{HOUR, MINUTE};
use crate::dns::{Data, Record};
use crate::rng::Rng;

/// How many services are known to many.
const POPULAR: usize = 160;

/// Clouds, with the public suffix under which tenants have their names.
const CLOUDS: [&str; 3] =
    ["s3.amazonaws.com", "blob.core.windows.net", "s3.eu-central-1.amazonaws.com"];

/// Something that is reached by name.
#[derive(Debug)]
pub(super) struct Service {
    /// Names that clients use.
    hosts: Vec<String>,
    /// What the names are aliases of.
    alias: Option<String>,
    v4: Vec<Ipv4Addr>,
    v6: Vec<Ipv6Addr>,
    /// How long the same addresses are answered; `None`: always.
    rotation: Option<u64>,
    /// Port it is reached at.
    pub(super) port: u16,
    /// Whether nobody ever asks for its addresses in the capture: a hosts file, a long-lived cache.
    pub(super) silent: bool,
    ttl: u32,
}

impl Service {
    /// A site with few names and one or two addresses.
    pub(super) fn site(domain: &str, rng: &mut Rng) -> Self {
        let hosts = ["www", "api", "login"].map(|host| format!("{host}.{domain}"));
        let network = public_v4(rng);
        Self {
            hosts: hosts[..rng.range(1, 3) as usize].to_vec(),
            alias: None,
            v4: near(network, rng.range(1, 2), rng),
            v6: if rng.chance(0.5) { vec![public_v6(rng)] } else { Vec::new() },
            rotation: None,
            port: if rng.chance(0.03) { 8443 } else { 443 },
            silent: false,
            ttl: *rng.pick(&[60, 300, 300, 3600]),
        }
    }

    /// A content network's customer: many names under one domain, addresses that rotate.
    pub(super) fn content(domain: &str, rng: &mut Rng) -> Self {
        let networks: Vec<Ipv4Addr> = (0..6).map(|_| public_v4(rng)).collect();
        Self {
            hosts: (0..24).map(|n| format!("r{n}---edge{:x}.{domain}", rng.below(4096))).collect(),
            alias: Some(format!("{}.edge-cdn.net", domain.replace('.', "-"))),
            v4: networks.iter().flat_map(|network| near(*network, 8, rng)).collect(),
            v6: (0..6).map(|_| public_v6(rng)).collect(),
            rotation: Some(20 * MINUTE),
            ttl: 60,
            ..Self::site(domain, &mut rng.stream("site"))
        }
    }

    /// A tenant of a cloud: a name of its own, addresses of everyone.
    pub(super) fn tenant(tenant: &str, rng: &mut Rng) -> Self {
        let which = rng.below(CLOUDS.len() as u64);
        let mut cloud = Rng::new(which).stream("cloud addresses");
        let networks: Vec<Ipv4Addr> = (0..4).map(|_| public_v4(&mut cloud)).collect();
        Self {
            hosts: vec![format!("{tenant}.{}", CLOUDS[which as usize])],
            alias: None,
            v4: networks.iter().flat_map(|network| near(*network, 12, &mut cloud)).collect(),
            v6: Vec::new(),
            rotation: Some(HOUR),
            port: 443,
            silent: false,
            ttl: 60,
        }
    }

    /// A server known by its address only.
    pub(super) fn literal(rng: &mut Rng) -> Self {
        let v4 = vec![public_v4(rng)];
        Self { hosts: Vec::new(), v4, silent: true, port: 443, ..Self::site("unused.example", rng) }
    }

    /// The same at other addresses.
    pub(super) fn moved(&self, rng: &mut Rng) -> Self {
        let networks: Vec<Ipv4Addr> =
            (0..self.v4.len().div_ceil(8)).map(|_| public_v4(rng)).collect();
        let near_one = |number: usize, rng: &mut Rng| near(networks[number / 8], 1, rng)[0];
        Self {
            hosts: self.hosts.clone(),
            alias: self.alias.clone(),
            v4: (0..self.v4.len()).map(|number| near_one(number, rng)).collect(),
            v6: self.v6.iter().map(|_| public_v6(rng)).collect(),
            ..*self
        }
    }

    /// One of its names; `None` for a server without.
    pub(super) fn host(&self, rng: &mut Rng) -> Option<&str> {
        (!self.hosts.is_empty()).then(|| rng.pick(&self.hosts).as_str())
    }

    /// The addresses that are answered for `host` at `now`.
    pub(super) fn addresses(&self, host: &str, v6: bool, now: u64) -> Vec<IpAddr> {
        let epoch = self.rotation.map_or(0, |rotation| now / rotation);
        let mut rng = Rng::new(epoch).stream(host);
        let pool: Vec<IpAddr> = if v6 {
            self.v6.iter().copied().map(IpAddr::from).collect()
        } else {
            self.v4.iter().copied().map(IpAddr::from).collect()
        };
        if pool.len() <= 2 {
            return pool;
        }
        (0..rng.range(1, 3)).map(|_| *rng.pick(&pool)).collect()
    }

    /// The answer section for `host`.
    pub(super) fn records(&self, host: &str, v6: bool, now: u64) -> Vec<Record> {
        let addresses = self.addresses(host, v6, now);
        let owner = self.alias.as_deref().unwrap_or(host);
        let mut records: Vec<Record> = addresses
            .into_iter()
            .map(|ip| Record { name: owner.into(), ttl: self.ttl, data: Data::address(ip) })
            .collect();
        if let Some(alias) = &self.alias {
            let data = Data::Cname(alias.clone());
            records.insert(0, Record { name: host.into(), ttl: 300, data });
        }
        records
    }

    /// How long an answer may be kept.
    pub(super) fn time_to_live(&self) -> u64 {
        u64::from(self.ttl) * super::SECOND
    }
}

/// The services many know, the best known first.
pub(super) fn popular(rng: &Rng) -> Vec<Rc<Service>> {
    (0..POPULAR)
        .map(|rank| {
            let mut rng = rng.stream(&format!("popular {rank}"));
            let domain = domain(&mut rng);
            let mut service = match rank % 8 {
                0 | 3 => Service::content(&domain, &mut rng),
                5 => Service::tenant(&format!("{}-assets", word(&mut rng)), &mut rng),
                _ => Service::site(&domain, &mut rng),
            };
            service.silent = rng.chance(0.04);
            Rc::new(service)
        })
        .collect()
}

/// A registered domain that nobody else has.
pub(super) fn domain(rng: &mut Rng) -> String {
    const SUFFIXES: [&str; 9] = ["com", "com", "net", "io", "org", "de", "co.uk", "com.au", "dev"];
    format!("{}{}.{}", word(rng), word(rng), rng.pick(&SUFFIXES))
}

/// Something to say.
pub(super) fn word(rng: &mut Rng) -> String {
    const STARTS: [&str; 16] = [
        "bar", "cor", "del", "fen", "gla", "hel", "jor", "kin", "lum", "mar", "nor", "pel", "quo",
        "ril", "sta", "ver",
    ];
    const ENDS: [&str; 16] = [
        "dan", "ex", "fic", "gate", "ium", "lane", "mont", "nix", "on", "pod", "rise", "sys", "ta",
        "vo", "ware", "zen",
    ];
    format!("{}{}", rng.pick(&STARTS), rng.pick(&ENDS))
}

/// An address that is routed on the Internet.
pub(super) fn public_v4(rng: &mut Rng) -> Ipv4Addr {
    loop {
        let address = Ipv4Addr::from(rng.next() as u32);
        let [a, b, ..] = address.octets();
        let reserved = address.is_private()
            || matches!(a, 0 | 127 | 224..)
            || (a == 100 && (64..128).contains(&b))
            || (a == 169 && b == 254)
            || (a == 192 && b == 0)
            || (a == 198 && matches!(b, 18 | 19 | 51))
            || (a == 203 && b == 0);
        if !reserved {
            return address;
        }
    }
}

/// An address that is routed on the Internet.
pub(super) fn public_v6(rng: &mut Rng) -> Ipv6Addr {
    let [a, b, c, d] = [rng.next(), rng.next(), rng.next(), rng.next()].map(|bits| bits as u16);
    Ipv6Addr::new(0x2600 | (a & 0x0f), b, c & 0xff, 0, 0, 0, 0, d | 1)
}

/// Addresses of the same /24.
fn near(network: Ipv4Addr, count: u64, rng: &mut Rng) -> Vec<Ipv4Addr> {
    let [a, b, c, _] = network.octets();
    (0..count).map(|_| Ipv4Addr::new(a, b, c, rng.range(1, 254) as u8)).collect()
}
