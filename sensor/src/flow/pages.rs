//! Memory for tables that are hit at random: in huge pages where the system grants them, so that a
//! miss is one of the cache alone and not of the address translation also.

use std::marker::PhantomData;

use bytemuck::Pod;

/// A fixed number of values, all zero at first; memory is only taken as it is used.
pub(super) struct Pages<T>(memmap2::MmapMut, PhantomData<T>);

impl<T: Pod> Pages<T> {
    /// Room for `count` values, one at least.
    pub(super) fn new(count: usize) -> std::io::Result<Self> {
        let map = memmap2::MmapMut::map_anon(count.max(1).saturating_mul(size_of::<T>()))?;
        // Only advice: without huge pages everything works the same.
        #[cfg(target_os = "linux")]
        let _ = map.advise(memmap2::Advice::HugePage);
        Ok(Self(map, PhantomData))
    }

    #[inline]
    pub(super) fn all(&self) -> &[T] {
        bytemuck::try_cast_slice(&self.0).unwrap_or_default()
    }

    #[inline]
    pub(super) fn one(&mut self, at: usize) -> Option<&mut T> {
        let all: &mut [T] = bytemuck::try_cast_slice_mut(&mut self.0).unwrap_or_default();
        all.get_mut(at)
    }
}
