//! What ethtool(8) asks: SIOCETHTOOL, whose structures are all rows of 32-bit words
//! (`linux/ethtool.h`).

use std::os::fd::{AsRawFd, OwnedFd};

use super::control;

/// Commands.
const GDRVINFO: u32 = 0x03;
const GRINGPARAM: u32 = 0x10;
const GSTRINGS: u32 = 0x1b;
const GSSET_INFO: u32 = 0x37;
const GFEATURES: u32 = 0x3a;
const GCHANNELS: u32 = 0x3c;

/// The set of strings that holds the names of features.
const FEATURES: u32 = 4;

/// Bytes of each string.
const STRING: usize = 32;

/// More features than any kernel has.
const MAX_FEATURES: usize = 1024;

/// Something a card or driver may do to frames.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feature {
    /// The kernel's name for it.
    pub name: String,
    /// Whether it is on.
    pub active: bool,
    /// Whether it can be switched.
    pub changeable: bool,
}

/// How many received frames wait in the card for the driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RingSizes {
    /// Now.
    pub rx: u32,
    /// At most.
    pub rx_max: u32,
}

/// Queues of a card: those that only receive, and those that do both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Channels {
    /// Queues that receive, now.
    pub receiving: u32,
    /// The most there can be.
    pub receiving_max: u32,
}

/// One interface.
pub(super) struct Device {
    socket: OwnedFd,
    name: [libc::c_char; libc::IFNAMSIZ],
}

impl Device {
    pub(super) fn new(name: &str) -> Option<Self> {
        if name.contains('\0') {
            return None;
        }
        let mut bytes = [0; libc::IFNAMSIZ];
        // The last byte stays zero.
        let (_, places) = bytes.split_last_mut()?;
        for (place, byte) in places.get_mut(..name.len())?.iter_mut().zip(name.bytes()) {
            *place = byte as libc::c_char;
        }
        Some(Self { socket: control()?, name: bytes })
    }

    pub(super) fn driver(&self) -> Option<String> {
        // `struct ethtool_drvinfo`: the driver's name follows the command.
        let mut words = [0; 49];
        self.ask(GDRVINFO, &mut words)?;
        let [_, name @ ..] = &words;
        string(name.get(..STRING / 4)?)
    }

    pub(super) fn ring(&self) -> Option<RingSizes> {
        // `struct ethtool_ringparam`: limits of rx, mini, jumbo, tx, then the same as they are.
        let mut words = [0; 9];
        self.ask(GRINGPARAM, &mut words)?;
        let [_, rx_max, _, _, _, rx, ..] = words;
        (rx_max > 0).then_some(RingSizes { rx, rx_max })
    }

    pub(super) fn channels(&self) -> Option<Channels> {
        // `struct ethtool_channels`: limits of rx, tx, other, combined, then the same as they are.
        let mut words = [0; 9];
        self.ask(GCHANNELS, &mut words)?;
        let [_, rx_max, _, _, both_max, rx, _, _, both] = words;
        let (receiving, receiving_max) = (rx.checked_add(both)?, rx_max.checked_add(both_max)?);
        (receiving_max > 0).then_some(Channels { receiving, receiving_max })
    }

    pub(super) fn features(&self) -> Option<Vec<Feature>> {
        // `struct ethtool_sset_info`: which sets in a mask of 64 bits, then the size of each.
        let mut words = [0, 0, 1 << FEATURES, 0, 0];
        self.ask(GSSET_INFO, &mut words)?;
        let [.., count] = words;
        let count = usize::try_from(count).ok().filter(|count| *count <= MAX_FEATURES)?;
        // `struct ethtool_gstrings`: which set, its size, then that many strings.
        let mut names = vec![0; 3 + MAX_FEATURES * STRING / 4];
        names.splice(1..3, [FEATURES, count as u32]);
        self.ask(GSTRINGS, &mut names)?;
        // `struct ethtool_gfeatures`: how many blocks, then four words for each 32 features.
        let blocks = count.div_ceil(32);
        let mut bits = vec![0; 2 + blocks * 4];
        bits.splice(1..2, [blocks as u32]);
        self.ask(GFEATURES, &mut bits)?;
        let strings = names.get(3..)?.chunks(STRING / 4).take(count);
        let blocks = bits.get(2..)?.as_chunks().0.iter();
        let states = blocks.flat_map(|[available, _, active, never]: &[u32; 4]| {
            (0..32).map(move |bit| (active >> bit & 1 == 1, (available & !never) >> bit & 1 == 1))
        });
        let features = strings.zip(states).filter_map(|(name, (active, changeable))| {
            string(name).map(|name| Feature { name, active, changeable })
        });
        Some(features.collect())
    }

    /// Sends a command with its structure, whose first word it is, and has it filled in.
    #[expect(unsafe_code, reason = "no crate here has ethtool's ioctl")]
    fn ask(&self, command: u32, words: &mut [u32]) -> Option<()> {
        *words.first_mut()? = command;
        let data = libc::__c_anonymous_ifr_ifru { ifru_data: words.as_mut_ptr().cast() };
        let mut request = libc::ifreq { ifr_name: self.name, ifr_ifru: data };
        let socket = self.socket.as_raw_fd();
        // SAFETY: `request` and the words it points to live through the call. Each caller gives as
        // many words as its command's structure has, and room for more strings than there are.
        let result = unsafe { libc::ioctl(socket, libc::SIOCETHTOOL as _, &raw mut request) };
        (result == 0).then_some(())
    }
}

/// The string that these words hold, up to its zero byte; `None` when it is empty.
fn string(words: &[u32]) -> Option<String> {
    let bytes: &[u8] = bytemuck::cast_slice(words);
    let bytes = bytes.split(|byte| *byte == 0).next().filter(|bytes| !bytes.is_empty())?;
    Some(String::from_utf8_lossy(bytes).into_owned())
}
