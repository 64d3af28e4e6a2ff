use super::*;

fn mirror() -> Port<'static> {
    Port { name: "eth1", in_path: false, direction: Direction::In }
}

fn host() -> Port<'static> {
    Port { name: "eth0", in_path: true, direction: Direction::Both }
}

/// Frames in the path of others must never end, and generic XDP is for those who know what it costs.
#[test]
fn where_frames_must_go_on_tc_comes_first_and_else_native_xdp() {
    use Backend::{Pcap, Ring, Tc, Xdp, XdpGeneric};
    assert_eq!(order(None, mirror()), [Xdp, Ring, Pcap]);
    assert_eq!(order(None, host()), [Tc, Ring, Pcap]);
    for port in [mirror(), host()] {
        assert_eq!(order(Some(Ring), port), [Ring]);
        assert_eq!(order(Some(Pcap), port), [Pcap]);
        for asked in [Xdp, XdpGeneric, Tc] {
            assert_eq!(order(Some(asked), port), [asked, Ring, Pcap]);
        }
    }
}

#[test]
fn people_are_told_which_way_and_what_was_tried_before() {
    let mut tried = Tried::default();
    assert_eq!(
        tried.why(Backend::Xdp, 4, None, mirror()),
        "XDP in the driver for 4 workers, the fastest way at a mirror port; frames that arrive, which end here unless they are for this host"
    );
    assert_eq!(
        tried.why(Backend::Tc, 1, None, host()),
        "tc, the fastest way in the path of traffic; frames that arrive and frames this host sends, which is in their path"
    );
    assert!(
        tried
            .why(Backend::Xdp, 1, Some(Backend::Xdp), host())
            .contains("as asked; frames that arrive, which go on")
    );
    tried.push(Backend::Xdp, "the driver bridge has none".to_owned());
    assert_eq!(
        tried.why(Backend::Ring, 1, None, mirror()),
        "AF_PACKET ring of 32 MiB, because XDP in the driver was refused: the driver bridge has none; frames that arrive"
    );
    tried.push(Backend::Ring, "no memory".to_owned());
    assert_eq!(
        tried.to_string(),
        "XDP in the driver was refused: the driver bridge has none; the AF_PACKET ring failed: no memory"
    );
}

/// Where the kernel refuses the program, people learn what that costs, and from whom to take it.
#[test]
fn rings_that_do_not_look_into_tunnels_say_so() {
    assert_eq!(Sources::whole(Vec::new()).but(), "");
    let lack = Some("sharing frames between workers failed: invalid argument".to_owned());
    assert_eq!(
        Sources { sources: Vec::new(), lack }.but(),
        "; not by what is inside tunnels, where halves of a conversation may come to different workers: sharing frames between workers failed: invalid argument"
    );
}
