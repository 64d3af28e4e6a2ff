use egret_tests::mmdb::{Record, Value, database};

use super::*;

/// A database of these networks, as if it had been read.
pub(crate) fn of(networks: &[([u8; 4], u32, Record)]) -> Databases {
    Databases::new(vec![opened(&database(networks)).unwrap()])
}

fn opened(bytes: &[u8]) -> Result<Database, DatabaseError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mmdb");
    std::fs::write(&path, bytes).unwrap();
    Database::open(&path)
}

/// As MaxMind and DB-IP write a country.
pub(crate) fn country(code: &'static str) -> Record {
    vec![("country", Value::Map(vec![("iso_code", Value::Text(code))]))]
}

fn at(address: &str) -> IpAddr {
    address.parse().unwrap()
}

#[test]
fn countries_and_systems_are_read_as_each_publisher_writes_them() {
    let databases = of(&[
        ([203, 0, 113, 0], 24, country("SE")),
        ([198, 51, 0, 0], 16, vec![("country_code", Value::Text("BR"))]),
        ([192, 0, 2, 0], 24, vec![("country", Value::Text("NZ")), ("asn", Value::Text("AS64500"))]),
        ([10, 0, 0, 0], 8, vec![("autonomous_system_number", Value::Number(64_501))]),
        ([172, 16, 0, 0], 12, vec![("country", Value::Text("unknown"))]),
    ]);
    let country = |address| databases.country(at(address));
    assert_eq!(country("203.0.113.9"), Some(*b"SE"));
    assert_eq!(country("203.0.114.9"), None);
    assert_eq!(country("198.51.200.1"), Some(*b"BR"));
    assert_eq!(country("192.0.2.255"), Some(*b"NZ"));
    assert_eq!(country("172.16.0.1"), None, "no code of a country");
    assert_eq!(country("2001:db8::1"), None, "not in a database of IPv4");
    assert_eq!(databases.system(at("192.0.2.1")), Some(64_500));
    assert_eq!(databases.system(at("10.255.0.1")), Some(64_501));
    assert_eq!(databases.system(at("203.0.113.9")), None);
}

#[test]
fn one_database_may_know_what_another_does_not() {
    let one = of(&[([203, 0, 113, 0], 24, country("SE"))]);
    let other =
        of(&[([203, 0, 113, 0], 24, vec![("autonomous_system_number", Value::Number(64_502))])]);
    let both = Databases([one.0, other.0].concat());
    assert_eq!(both.country(at("203.0.113.1")), Some(*b"SE"));
    assert_eq!(both.system(at("203.0.113.1")), Some(64_502));
    assert!(Databases::default().is_empty() && !both.is_empty());
}

#[test]
fn a_broken_database_is_refused_or_says_nothing() {
    let whole = database(&[([203, 0, 113, 0], 24, country("SE"))]);
    assert!(matches!(opened(b"something else"), Err(DatabaseError::Malformed(_))));
    assert!(matches!(
        Database::open(Path::new("/nowhere.mmdb")),
        Err(DatabaseError::Unreadable(_))
    ));
    // Whatever byte is wrong, nothing panics and no country is made up.
    for place in 0..whole.len() {
        for wrong in [0, 0x7f, 0xff] {
            let mut bytes = whole.clone();
            bytes[place] = wrong;
            let Ok(reader) = Reader::from_source(bytes) else { continue };
            let database = Database { path: PathBuf::new(), reader };
            let databases = Databases::new(vec![database]);
            let found = databases.country(at("203.0.113.9"));
            assert!(found.is_none_or(|code| code.iter().all(u8::is_ascii_uppercase)));
            databases.system(at("203.0.113.9"));
        }
    }
}
