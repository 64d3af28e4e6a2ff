//! What the columns of a sheet mean: RVTools' sheets and plain CSV, told apart by their header.

use std::net::IpAddr;

use ipnet::IpNet;

use super::text::Record;
use crate::config::Role;
use crate::config::file::{mac, prefix};
use crate::decode::Mac;

/// The most addresses, and the most MAC addresses, one line gives, and one machine has.
pub(super) const MAX_EACH: usize = 64;

/// The kinds of sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// RVTools `vInfo`: a line a VM.
    Machines,
    /// RVTools `vNetwork`: a line a VM's network card.
    Cards,
    /// RVTools `vHost`, `vSC_VMK` or `vNIC`: a line a host or one of its interfaces.
    Hosts,
    /// `name,role,address,mac,host`, in any order.
    Plain,
}

impl Kind {
    /// Its name for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Machines => "RVTools vInfo",
            Self::Cards => "RVTools vNetwork",
            Self::Hosts => "RVTools hosts",
            Self::Plain => "plain CSV",
        }
    }
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Vm,
    Name,
    Host,
    Role,
    Address,
    Mac,
    Power,
    Template,
    Dns,
    Uuid,
    Server,
    /// Only hosts' sheets have it.
    HostOnly,
}

/// Column names, in small letters and digits only and without the sheet's name in front, which
/// RVTools puts there when it writes from its command line (`vInfoVMName`, `vNetworkIP4Address`).
const COLUMNS: [(&str, Field); 38] = [
    ("vm", Field::Vm),
    ("vmname", Field::Vm),
    ("name", Field::Name),
    ("asset", Field::Name),
    ("hostname", Field::Name),
    ("host", Field::Host),
    ("esxhost", Field::Host),
    ("esxihost", Field::Host),
    ("role", Field::Role),
    ("address", Field::Address),
    ("addresses", Field::Address),
    ("ip", Field::Address),
    ("ipaddress", Field::Address),
    ("ipaddresses", Field::Address),
    ("ip4address", Field::Address),
    ("ip6address", Field::Address),
    ("ipv4address", Field::Address),
    ("ipv6address", Field::Address),
    ("ipv4", Field::Address),
    ("ipv6", Field::Address),
    ("primaryip", Field::Address),
    ("primaryipaddress", Field::Address),
    ("mac", Field::Mac),
    ("macs", Field::Mac),
    ("macaddress", Field::Mac),
    ("powerstate", Field::Power),
    ("power", Field::Power),
    ("template", Field::Template),
    ("srmplaceholder", Field::Template),
    ("dnsname", Field::Dns),
    ("guesthostname", Field::Dns),
    ("vmuuid", Field::Uuid),
    ("uuid", Field::Uuid),
    ("visdkserver", Field::Server),
    ("cpumodel", Field::HostOnly),
    ("esxversion", Field::HostOnly),
    ("networkdevice", Field::HostOnly),
    ("device", Field::HostOnly),
];

/// What RVTools may put in front of a column's name.
const PREFIXES: [&str; 6] = ["vinfo", "vnetwork", "vscvmk", "vsc", "vnic", "vhost"];

/// What a sheet's columns hold.
#[derive(Debug)]
pub(super) struct Columns {
    pub(super) kind: Kind,
    fields: Vec<Option<Field>>,
}

/// One line, read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) role: Option<Role>,
    pub(super) addresses: Vec<IpNet>,
    pub(super) macs: Vec<Mac>,
    pub(super) host: Option<String>,
    /// Whether it runs; where nothing is said, it does.
    pub(super) off: bool,
    pub(super) template: bool,
    pub(super) dns: Option<String>,
    pub(super) uuid: Option<String>,
    pub(super) server: Option<String>,
    /// Addresses that name nobody beyond their own link or machine.
    pub(super) local: usize,
    /// What of the line cannot be used.
    pub(super) problems: Vec<String>,
}

impl Columns {
    /// Reads a header.
    pub(super) fn new(header: &Record) -> Option<Self> {
        let fields: Vec<_> = header.cells.iter().map(|cell| field(cell)).collect();
        let has = |field| fields.contains(&Some(field));
        let kind = if has(Field::Vm) && has(Field::Mac) {
            Kind::Cards
        } else if has(Field::Vm) && has(Field::Power) {
            Kind::Machines
        } else if has(Field::Vm) {
            return None;
        } else if has(Field::Name) && (has(Field::Address) || has(Field::Mac)) {
            Kind::Plain
        } else if has(Field::Host) && has(Field::HostOnly) {
            Kind::Hosts
        } else {
            return None;
        };
        Some(Self { kind, fields })
    }

    /// Reads one line.
    pub(super) fn entry(&self, record: &Record) -> Result<Entry, String> {
        let (cells, columns) = (record.cells.len(), self.fields.len());
        if record.cells.iter().skip(columns).any(|cell| !cell.is_empty()) {
            return Err(format!(
                "{cells} cells under {columns} columns; put a cell that holds the separator in quotes"
            ));
        }
        let mut entry = Entry::default();
        for (field, cell) in self.fields.iter().zip(&record.cells) {
            if let Some(field) = field.filter(|_| !cell.is_empty()) {
                self.take(field, cell, &mut entry)?;
            }
        }
        if entry.name.is_empty() {
            return Err("no name".to_owned());
        }
        entry.role = entry.role.or(match self.kind {
            Kind::Machines | Kind::Cards => Some(Role::Guest),
            Kind::Hosts => Some(Role::Esxi),
            Kind::Plain => None,
        });
        if self.kind == Kind::Hosts {
            // A host that was added by its address is called by it.
            entry.addresses.extend(entry.name.parse::<IpAddr>().ok().map(IpNet::from));
        }
        Ok(entry)
    }

    fn take(&self, field: Field, cell: &str, entry: &mut Entry) -> Result<(), String> {
        let is_true = || ["true", "yes", "1"].iter().any(|word| cell.eq_ignore_ascii_case(word));
        match field {
            Field::Vm => entry.name = name(cell)?,
            Field::Host if self.kind == Kind::Hosts => entry.name = name(cell)?,
            Field::Name if self.kind == Kind::Plain => entry.name = name(cell)?,
            Field::Host => entry.host = Some(name(cell)?),
            Field::Role if self.kind == Kind::Plain => entry.role = Some(role(cell)?),
            Field::Address => items(cell).for_each(|item| entry.address(item)),
            Field::Mac => items(cell).for_each(|item| entry.mac(item)),
            Field::Power => entry.off = !cell.eq_ignore_ascii_case("poweredOn"),
            Field::Template => entry.template |= is_true(),
            Field::Dns => entry.dns = name(cell).ok(),
            Field::Uuid => entry.uuid = name(cell).ok(),
            Field::Server => entry.server = name(cell).ok(),
            Field::Name | Field::Role | Field::HostOnly => {}
        }
        Ok(())
    }
}

impl Entry {
    fn address(&mut self, text: &str) {
        let Some(net) = prefix(text) else {
            let seen = quoted(text);
            self.problems.push(format!("{seen} is no address; the rest of the line is taken"));
            return;
        };
        if is_local(net.addr()) {
            self.local += 1;
        } else if self.addresses.len() >= MAX_EACH {
            self.problems.push(format!("more than {MAX_EACH} addresses; the others are left out"));
        } else if !self.addresses.contains(&net) {
            self.addresses.push(net);
        }
    }

    fn mac(&mut self, text: &str) {
        let found = mac(text).filter(|mac| mac.0[0] & 1 == 0 && *mac != Mac::default());
        let Some(mac) = found else {
            let seen = quoted(text);
            self.problems.push(format!("{seen} is no MAC address; the rest of the line is taken"));
            return;
        };
        if self.macs.len() >= MAX_EACH {
            self.problems
                .push(format!("more than {MAX_EACH} MAC addresses; the others are left out"));
        } else if !self.macs.contains(&mac) {
            self.macs.push(mac);
        }
    }
}

fn field(name: &str) -> Option<Field> {
    let plain: String =
        name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    if plain == "vhostname" {
        return Some(Field::Host);
    }
    let short = PREFIXES.iter().find_map(|prefix| plain.strip_prefix(prefix));
    let known =
        |name: &str| COLUMNS.iter().find(|(known, _)| *known == name).map(|(_, field)| *field);
    known(&plain).or_else(|| known(short?))
}

/// A name that fits on a line. The limit is vSphere's for a VM's name, and DNS' for a host's.
fn name(cell: &str) -> Result<String, String> {
    const LIMIT: usize = 255;
    if cell.chars().any(char::is_control) {
        return Err(format!("the name {} holds control characters", quoted(cell)));
    }
    match cell.len() {
        ..=LIMIT => Ok(cell.to_owned()),
        length => Err(format!("a name of {length} bytes; at most {LIMIT} are taken")),
    }
}

fn role(cell: &str) -> Result<Role, String> {
    let found = Role::ALL.into_iter().find(|role| cell.eq_ignore_ascii_case(role.name()));
    found.ok_or_else(|| {
        format!("{} is no role; write one of esxi, vcenter, guest, other", quoted(cell))
    })
}

/// The items of a cell that holds several: `10.0.0.1, fe80::1`.
fn items(cell: &str) -> impl Iterator<Item = &str> {
    cell.split([',', ';', '|', ' ', '\n', '\r', '\t']).filter(|item| !item.is_empty())
}

/// A cell in a message: harmless when it is printed, and short.
fn quoted(cell: &str) -> String {
    format!("\"{}\"", crate::text::printable_within(cell, 60))
}

/// Whether an address is the same on every machine or link, so that it tells none apart.
fn is_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            v4.is_loopback() || v4.is_link_local() || v4.is_multicast() || v4.octets()[0] == 0
        }
        IpAddr::V6(v6) => {
            v6.is_loopback()
                || v6.is_unicast_link_local()
                || v6.is_multicast()
                || v6.is_unspecified()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(line: &str) -> Record {
        Record { line: 1, cells: line.split('|').map(str::to_owned).collect() }
    }

    fn kind(header: &str) -> Option<Kind> {
        Columns::new(&record(header)).map(|columns| columns.kind)
    }

    #[test]
    fn sheets_are_told_by_their_header_in_every_version() {
        for (header, expected) in [
            ("VM|Powerstate|Template|SRM Placeholder|DNS Name|Primary IP Address", Kind::Machines),
            ("vInfoVMName|vInfoPowerstate|vInfoPrimaryIPAddress", Kind::Machines),
            ("VM|Powerstate|Adapter|Network|Mac Address|IPv4 Address|IPv6 Address", Kind::Cards),
            ("VM|Powerstate|Network|Mac Address|IP Address", Kind::Cards),
            ("vNetworkVMName|vNetworkMacAddress|vNetworkIP4Address", Kind::Cards),
            ("Host|Datacenter|Cluster|CPU Model", Kind::Hosts),
            ("vHostName|vHostCpuModel", Kind::Hosts),
            ("Host|Port Group|Device|Mac Address|IP Address|IP 6 Address", Kind::Hosts),
            ("Host|Network Device|MAC", Kind::Hosts),
            ("name|role|address|mac|host", Kind::Plain),
            ("MAC|Name", Kind::Plain),
        ] {
            assert_eq!(kind(header), Some(expected), "{header}");
        }
        for other in ["VM|Disk|Capacity MiB", "Name|Role", "a|b", "Host|Datacenter"] {
            assert_eq!(kind(other), None, "{other}");
        }
    }

    #[test]
    fn a_line_gives_what_its_columns_say() {
        let columns = Columns::new(&record(
            "VM|Powerstate|Template|Mac Address|IPv4 Address|IPv6 Address|Host",
        ));
        let line =
            "web-01|poweredOff|False|00:50:56:01:02:03|10.0.0.5, 169.254.1.1|fe80::1,fd00::5|e1";
        let entry = columns.unwrap().entry(&record(line)).unwrap();
        assert_eq!((entry.name.as_str(), entry.off, entry.template), ("web-01", true, false));
        assert_eq!(entry.addresses, ["10.0.0.5/32", "fd00::5/128"].map(|net| net.parse().unwrap()));
        assert_eq!(entry.local, 2);
        assert_eq!((entry.macs.len(), entry.host.as_deref()), (1, Some("e1")));
        assert!(entry.problems.is_empty());
    }

    #[test]
    fn what_cannot_be_used_is_said_and_the_rest_is_taken() {
        let columns = Columns::new(&record("name|role|address|mac")).unwrap();
        let entry =
            columns.entry(&record("=cmd()|ESXi|#N/A 10.0.0.0/8|01:00:5e:00:00:01")).unwrap();
        assert_eq!((entry.name.as_str(), entry.role), ("=cmd()", Some(Role::Esxi)));
        assert_eq!(entry.addresses.len(), 1);
        assert_eq!(entry.problems.len(), 2, "{:?}", entry.problems);
        for (line, reason) in [
            ("|guest|10.0.0.1|", "no name"),
            ("a|king|10.0.0.1|", "\"king\" is no role"),
            ("a|guest|10.0.0.1||x", "5 cells under 4 columns"),
            ("a\x1b[2J|guest|10.0.0.1|", r#"the name "a\x1b[2J" holds control"#),
        ] {
            let error = columns.entry(&record(line)).unwrap_err();
            assert!(error.starts_with(reason), "{error}");
        }
    }

    #[test]
    fn a_host_called_by_its_address_has_it() {
        let columns = Columns::new(&record("Host|CPU Model")).unwrap();
        let entry = columns.entry(&record("10.10.0.11|x")).unwrap();
        assert_eq!((entry.role, entry.addresses.len()), (Some(Role::Esxi), 1));
    }
}
