//! Keeps the controller small: a box has little memory, and a policy is large only while it is compiled.

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

/// Lets the kernel take this program's code out of memory, through which the start went once: what is run again comes back
/// from the file.
pub fn forget_start() {
    let (Ok(own), Ok(maps)) = (std::fs::read_link("/proc/self/exe"), std::fs::read_to_string("/proc/self/maps")) else {
        return;
    };
    for (first, length) in maps.lines().filter_map(|line| code(line, &own)) {
        // SAFETY: whole pages of a mapping of a file that is never written, neither by this program nor through it.
        unsafe { libc::madvise(std::ptr::with_exposed_provenance_mut(first), length, libc::MADV_DONTNEED) };
    }
}

/// Where a line of `/proc/self/maps` has code of this file, and how much.
fn code(line: &str, own: &std::path::Path) -> Option<(usize, usize)> {
    let mut fields = line.split_whitespace();
    let (range, access, file) = (fields.next()?, fields.next()?, fields.nth(3)?);
    let (first, end) = range.split_once('-')?;
    let (first, end) = (usize::from_str_radix(first, 16).ok()?, usize::from_str_radix(end, 16).ok()?);
    (access == "r-xp" && own == file).then_some((first, end.checked_sub(first)?))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{code, forget_start};

    #[test]
    fn code_of_this_file_is_what_may_go() {
        let own = Path::new("/usr/sbin/enforcer");
        let line = |access: &str, file: &str| format!("5651f3215000-5651f3217000 {access} 00001000 fe:00 77 {file}");
        assert_eq!(code(&line("r-xp", "/usr/sbin/enforcer"), own), Some((0x5651_f321_5000, 0x2000)));
        for (access, file) in
            [("r--p", "/usr/sbin/enforcer"), ("rw-p", "/usr/sbin/enforcer"), ("r-xp", "/lib/libc.so.6"), ("r-xp", "")]
        {
            assert_eq!(code(&line(access, file), own), None, "{access} {file}");
        }
        // And goes on.
        forget_start();
    }
}
