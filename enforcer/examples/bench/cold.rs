//! The same frames when the processor's first caches hold others' code and data, as on a line, where the stacks of both ends
//! run in between: before each single test run everything near is driven out, by jumps and reads.
//!
//! A single run is also the kernel's clock, read twice, and the program that sets the conversation back: what those take with
//! the empty program behind them is subtracted.

use std::ptr;

use enforcer_common::abi::slot;

use super::classes::Class;
use super::stand::Stand;
use super::{LOADS, check, establish, fresh, lead, spread};

/// Runs of each class and load.
const RUNS: usize = 2_000;
/// Bytes of code and of data that drive out what is near: a few times a first cache.
const CODE: usize = 96 << 10;
const DATA: usize = 128 << 10;
/// A line of a cache.
const LINE: usize = 64;

/// Code and data of others.
struct Others {
    code: *mut u8,
    data: Vec<u64>,
}

impl Others {
    fn new() -> Self {
        let (access, kind) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        // SAFETY: a new mapping of this size, which lives as long as the process.
        let code = unsafe { libc::mmap(ptr::null_mut(), CODE, access, kind, -1, 0) };
        assert_ne!(code, libc::MAP_FAILED, "memory for code");
        let code = code.cast::<u8>();
        for line in 0..CODE / LINE {
            let jump: &[u8] = if line + 1 == CODE / LINE { RETURN } else { JUMP };
            // SAFETY: inside the mapping: a jump is shorter than a line.
            unsafe { ptr::copy_nonoverlapping(jump.as_ptr(), code.add(line * LINE), jump.len()) };
        }
        // SAFETY: the mapping of above.
        let made = unsafe { libc::mprotect(code.cast(), CODE, libc::PROT_READ | libc::PROT_EXEC) };
        assert_eq!(made, 0, "memory that holds code");
        // Not zeros, all of which may be one page of the kernel's.
        Self { code, data: vec![1; DATA / 8] }
    }

    /// Drives out what is near.
    fn run(&self) {
        // SAFETY: what lies there is a function without arguments that returns.
        let code = unsafe { std::mem::transmute::<*mut u8, extern "C" fn()>(self.code) };
        code();
        let sum = self.data.iter().step_by(LINE / 8).fold(0, |sum: u64, word| sum.wrapping_add(*word));
        std::hint::black_box(sum);
    }
}

/// To the next line.
#[cfg(target_arch = "x86_64")]
const JUMP: &[u8] = &[0xeb, 62];
#[cfg(target_arch = "x86_64")]
const RETURN: &[u8] = &[0xc3];
#[cfg(target_arch = "aarch64")]
const JUMP: &[u8] = &[0x10, 0, 0, 0x14];
#[cfg(target_arch = "aarch64")]
const RETURN: &[u8] = &[0xc0, 0x03, 0x5f, 0xd6];

/// The table. Of the classes those whose frames are most of what a line carries.
pub(crate) fn measure(classes: &[Class], policy: &str) {
    let others = Others::new();
    let classes: Vec<_> = classes.iter().filter(|class| class.frame.len() < 100 && class.expected.1 < 2).collect();
    let mut costs: Vec<Vec<f64>> = classes.iter().map(|_| Vec::new()).collect();
    for _ in 0..LOADS {
        let mut stand = fresh(policy);
        establish(&mut stand, 502, 0);
        let mut times: Vec<[Vec<f64>; 2]> = classes.iter().map(|_| Default::default()).collect();
        for run in 0..RUNS {
            for (class, times) in classes.iter().zip(&mut times) {
                stand.put("empty", slot::BENCH);
                let around = single(&mut stand, &others, class);
                lead(&mut stand, class);
                let whole = single(&mut stand, &others, class);
                // The first runs find out what the later ones know.
                if run >= RUNS / 10 {
                    times[0].push(around);
                    times[1].push(whole);
                }
            }
        }
        for ((class, times), costs) in classes.iter().zip(&mut times).zip(&mut costs) {
            lead(&mut stand, class);
            single(&mut stand, &others, class);
            check(&stand, class);
            let [around, whole] = times.each_mut().map(|times| middle(times));
            costs.push(whole - around);
        }
    }
    println!("\n{:<30} {:>6} {:>8} {:>8} {:>8}", "caches of others, ns", "bytes", "median", "min", "p90");
    for (class, costs) in classes.iter().zip(&mut costs) {
        let [median, least, most] = spread(costs);
        println!("{:<30} {:>6} {median:>8.1} {least:>8.1} {most:>8.1}", class.name, class.frame.len());
    }
}

/// The mean of the middle half: a median goes by the steps of the clock, which may be as long as a frame takes.
fn middle(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    let half = &times[times.len() / 4..times.len() * 3 / 4];
    half.iter().sum::<f64>() / half.len() as f64
}

/// One run.
fn single(stand: &mut Stand, others: &Others, class: &Class) -> f64 {
    others.run();
    let (spent, action) = stand.time("rewind", &class.frame, 1);
    assert_eq!(action, 2, "it passes the frame");
    spent.as_secs_f64() * 1e9
}
