//! Keeps the controller small: a box has little memory, and a policy is large only while it is read and compiled.

use crate::policy::Loaded;

/// Has the C library give memory back instead of keeping it for later. Before any thread is started.
pub fn spare() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        /// Blocks from this size on are mapped for themselves, and more than this at the heap's end is given back.
        const SIZE: libc::c_int = 64 << 10;
        // One heap for all threads: each further one keeps what its busiest moment took.
        for (what, value) in [(libc::M_ARENA_MAX, 1), (libc::M_MMAP_THRESHOLD, SIZE), (libc::M_TRIM_THRESHOLD, SIZE)] {
            // SAFETY: two integers; an option that is not known is refused and changes nothing.
            unsafe { libc::mallopt(what, value) };
        }
    }
}

/// The same policy, in one place. As it was read it lies scattered between the pieces of its text's tree, which is many times
/// as large: they could not be given back, and the image would be put into what they leave and not be mapped for itself.
pub(super) fn gathered(read: Loaded) -> Loaded {
    let together = read.clone();
    drop(read);
    give_back();
    together
}

/// Gives back what is free in the middle of the heap too, which the C library does not do by itself.
pub(super) fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: it takes no pointer and touches free memory only.
    unsafe {
        libc::malloc_trim(0)
    };
}
