//! Asking the processor for a cache line ahead of time.

/// Asks for the cache line that holds the start of `value`; does nothing where that is not known.
#[inline(always)]
#[expect(unsafe_code, reason = "prefetch instructions have no safe form")]
pub(crate) fn line<T>(value: &T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch never faults and changes nothing a program can see; the address is a
    // reference's.
    unsafe {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(value).cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = value;
}
