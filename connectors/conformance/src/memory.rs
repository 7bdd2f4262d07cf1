//! How much memory is in use, exactly: whatever is linked with the suite counts its allocations.

use peak_alloc::PeakAlloc;

#[global_allocator]
static COUNTING: PeakAlloc = PeakAlloc;

/// Bytes in use by this process now.
pub(crate) fn in_use() -> usize {
    COUNTING.current_usage()
}
