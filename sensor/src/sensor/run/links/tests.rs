use super::*;
use crate::status::Interface;

fn settings() -> Settings {
    Settings { backend: None, snaplen: 65_535, workers: 1, slots: None }
}

fn no_sources(_: &str, _: &Settings) -> Result<Opened, LiveError> {
    let why = "a test".to_owned();
    Ok(Opened { sources: Vec::new(), backend: live::Backend::Ring, why })
}

fn refused(interface: &str, _: &Settings) -> Result<Opened, LiveError> {
    Err(LiveError { interface: interface.to_owned(), reason: "it is down".to_owned() })
}

fn by_xdp(_: &str, _: &Settings) -> Result<Opened, LiveError> {
    let why = "a test".to_owned();
    Ok(Opened { sources: Vec::new(), backend: live::Backend::Xdp, why })
}

fn metrics() -> Metrics {
    Metrics::new().unwrap()
}

fn status(link: Link) -> Interface {
    let links = Links { all: vec![link], metrics: metrics() };
    links.status().remove(0)
}

#[test]
fn an_interface_that_is_named_twice_is_refused_before_anything_is_opened() {
    let names = ["egret-none", "lo", "lo"].map(str::to_owned);
    let capture = Capture::default();
    let error = Links::open(&names, &capture, 1, metrics()).unwrap_err();
    assert!(matches!(&error, RunError::Twice { first, second } if first == "lo" && second == "lo"));
    let twice_away = ["egret-none", "egret-none"].map(str::to_owned);
    assert!(twice(&twice_away).is_some());
    let different = ["egret-none", "egret-none2", "lo"].map(str::to_owned);
    assert_eq!(twice(&different), None);
}

#[test]
fn one_that_cannot_be_opened_is_tried_again_and_told_as_what_it_is() {
    let mut link = Link::new("lo", settings(), refused);
    assert!(link.watch(&metrics()).is_none());
    let closed = State::Closed("it is down".to_owned());
    assert_eq!(link.state, closed);
    // The same again is no news: what is said is said when the state changes.
    assert!(link.watch(&metrics()).is_none());
    assert_eq!(link.state, closed);
    link.open = no_sources;
    assert!(link.watch(&metrics()).is_some());
    assert_eq!((link.state.clone(), link.index.is_some()), (State::Up, true));
    assert!(link.watch(&metrics()).is_none(), "it is opened once");
    link.open = refused;
    link.index = Some(u32::MAX);
    assert!(link.watch(&metrics()).is_none());
    assert_eq!((link.state.clone(), link.index), (State::Gone, None));
    assert!(link.watch(&metrics()).is_none());
    assert_eq!(status(link).state, "closed: it is down");
}

#[test]
fn one_that_is_not_there_is_gone_and_nothing_is_counted() {
    let mut link = Link::new("egret-none", settings(), no_sources);
    assert!(link.watch(&metrics()).is_none());
    assert_eq!(link.newly_lost(), 0);
    assert_eq!(link.state, State::Gone);
    assert!(
        link.open(&metrics()).unwrap_err().to_string().contains("there is no interface egret-none")
    );
}

#[test]
fn what_is_lost_is_read_by_the_name_that_it_has_now() {
    let mut link = Link::new("egret-was", settings(), no_sources);
    link.index = interface::index("lo");
    assert!(link.watch(&metrics()).is_none());
    assert_eq!(link.state, State::Renamed("lo".to_owned()));
    assert_eq!(link.newly_lost(), 0, "what was lost before counts for nobody");
    assert!(link.lost.is_some());
    link.losses = 7;
    let status = status(link);
    assert_eq!((status.state.as_str(), status.dropped), ("up, called lo now", 7));
}

#[test]
fn one_that_ended_packets_lets_them_pass_once_it_is_in_their_path() {
    // Loopback has an address, and so counts as in the path.
    let mut link = Link::new("lo", settings(), by_xdp);
    assert!(link.watch(&metrics()).is_some());
    assert!(!link.must_pass(), "what is opened in the path drops nothing");
    link.drops = true;
    assert!(link.must_pass());
    assert!(!link.must_pass(), "it is told once");
}

#[test]
fn the_way_that_was_chosen_is_told() {
    let metrics = metrics();
    let mut link = Link::new("lo", settings(), by_xdp);
    link.open(&metrics).unwrap();
    let in_use = |way: &str| {
        let series = format!("egret_capture_backend{{backend=\"{way}\",interface=\"lo\"}} 1");
        metrics.text().unwrap().lines().any(|line| line == series)
    };
    assert!(in_use("xdp") && !in_use("afpacket"));
    // Rights may be given up by the time it comes back.
    link.open = no_sources;
    link.open(&metrics).unwrap();
    assert!(in_use("afpacket") && !in_use("xdp"));
    for backend in config::Backend::ALL {
        assert_eq!(way(backend).map_or(config::Backend::Auto, name), backend);
    }
}
