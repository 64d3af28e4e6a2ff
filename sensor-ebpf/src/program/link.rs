//! Ethernet with VLAN tags.

use egret_ebpf::KERNEL_VLAN_TAGS;

use crate::cursor::Cursor;

/// Both addresses.
const ADDRESSES: u32 = 12;
const KIND: u32 = 2;
const TAG: u32 = 4;
/// A header without tags.
pub(crate) const ETHERNET: usize = (ADDRESSES + KIND) as usize;

pub(crate) const IPV4: u16 = 0x0800;
pub(crate) const IPV6: u16 = 0x86dd;

/// Goes behind the link header; the version of IP that follows, or `None` when it is anything else.
#[inline(always)]
pub(crate) fn skip(cursor: &mut Cursor) -> Option<u32> {
    cursor.skip(ADDRESSES)?;
    for _ in 0..=KERNEL_VLAN_TAGS {
        let kind = cursor.short(0)?;
        match kind {
            IPV4 => {
                cursor.skip(KIND)?;
                return Some(4);
            }
            IPV6 => {
                cursor.skip(KIND)?;
                return Some(6);
            }
            0x8100 | 0x88a8 | 0x9100 => cursor.skip(TAG)?,
            _ => return None,
        }
    }
    None
}
