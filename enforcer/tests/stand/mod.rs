//! The loaded programs on a stand: no port, no wire; frames go in by BPF_PROG_TEST_RUN.
//!
//! Shared by parity, verifier budgets and the bench. Code here may panic: a stand that can't be built is a failed test.
#![allow(dead_code, unreachable_pub, reason = "each of its users needs another part of it")]

use std::time::{Duration, Instant};

use aya::maps::{Array, MapData, RingBuf};
use aya::{TestRun as _, TestRunOptions};
use enforcer::dataplane::maps::Sizes;
use enforcer::dataplane::object::{Object, ROOTS};
use enforcer::dataplane::plain::{self, Plain};
use enforcer::replay::environment::HostEnvironment;
use enforcer_common::abi::{FlowKeyV4, MODE_AS_POLICY, Settings, place};
use enforcer_common::event::Event;
use enforcer_common::flow::Flow;
use enforcer_common::policy::{Image, capacity};
use enforcer_common::port::Side;
use enforcer_common::scratch::Scratch;
use enforcer_common::verdict::Mode;

/// The box's own address on every stand.
pub const MANAGEMENT: [u8; 6] = [2, 0, 0, 0, 0, 0xfe];

/// Slots of each device on every stand.
pub const FLOWS_PER_DEVICE: u32 = 64;

/// What a root program left behind.
pub struct Ran {
    /// XDP action.
    pub action: u32,
    /// The frame afterwards.
    pub bytes: Vec<u8>,
}

/// The object, loaded privately: nothing of it is pinned or attached.
pub struct Stand {
    pub object: Object,
    /// How long the kernel took to verify and compile all programs.
    pub loading: Duration,
    events: RingBuf<MapData>,
    /// The CPU that this thread stays on: per-CPU maps are read there.
    cpu: usize,
    // The array of maps holds only numbers; an image lives as long as its handle or the array.
    images: Vec<Array<MapData, Plain<Image>>>,
    /// See [`Settings::grace_until`].
    pub grace_until: u64,
    /// What was written last.
    pub settings: Settings,
}

/// A conversation as a map value.
pub fn plain_flow(flow: Flow) -> Plain<Flow> {
    Plain(flow)
}

/// A conversation's key as a map key.
pub fn plain_key(key: FlowKeyV4) -> Plain<FlowKeyV4> {
    Plain(key)
}

/// Asks for a real-time priority, so that other processes do not disturb a measurement. False when it is refused.
pub fn undisturbed() -> bool {
    let parameters = libc::sched_param { sched_priority: 30 };
    // SAFETY: the parameters are a plain struct.
    unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &raw const parameters) == 0 }
}

/// Fails with one plain sentence when the test was started without the rights it needs.
pub fn require_root() {
    // SAFETY: no preconditions, cannot fail.
    let root = unsafe { libc::geteuid() } == 0;
    assert!(root, "this needs root, because it loads BPF programs; run it as: sudo -E cargo xtask test");
}

/// Keeps the calling thread on one of the CPUs it may use, and returns its number.
fn stay_on_one_cpu() -> usize {
    // SAFETY: the set is a plain bit mask of the size that is passed along.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        assert_eq!(libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &raw mut set), 0, "sched_getaffinity");
        let cpus = usize::try_from(libc::CPU_SETSIZE).expect("positive");
        let cpu = (0..cpus).rev().find(|cpu| libc::CPU_ISSET(*cpu, &set)).expect("a CPU to run on");
        libc::CPU_ZERO(&mut set);
        libc::CPU_SET(cpu, &mut set);
        assert_eq!(libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set), 0, "sched_setaffinity");
        cpu
    }
}

/// For how long this thread had a CPU so far.
pub fn busy() -> Duration {
    let mut spent = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: it writes the one structure that it is given.
    let answer = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut spent) };
    assert_eq!(answer, 0, "the thread's clock");
    let positive = |number: i64| u64::try_from(number).expect("a time");
    Duration::from_secs(positive(spent.tv_sec)) + Duration::from_nanos(positive(spent.tv_nsec))
}

impl Stand {
    /// Loads the object and fills what the controller would fill.
    pub fn new() -> Self {
        Self::sized(Sizes::default())
    }

    /// The same with tables of other sizes.
    pub fn sized(sizes: Sizes) -> Self {
        require_root();
        let before = Instant::now();
        let mut object = Object::load(None, sizes).unwrap_or_else(|error| panic!("{error}"));
        let loading = before.elapsed();
        object.compare().unwrap_or_else(|error| panic!("{error}"));
        object.maps.hash_key.set(0, Plain(*HostEnvironment::new(None).hash_key()), 0).expect("the hash's key");
        for cell in 0..u32::try_from(capacity::CONDUITS * 2).expect("small") {
            object.maps.conduit_modes.set(cell, u32::from(MODE_AS_POLICY), 0).expect("a cell");
        }
        let events = object.maps.events.take().expect("the event ring");
        Self {
            object,
            loading,
            events,
            cpu: stay_on_one_cpu(),
            images: Vec::new(),
            grace_until: u64::MAX,
            settings: Settings::default(),
        }
    }

    /// Makes `image` the active policy.
    pub fn publish(&mut self, image: &Image) {
        self.put_image(place::ACTIVE, image);
        self.settings.generation = image.header.generation;
        self.settings.bank = image.header.bank;
        self.set(self.settings);
    }

    /// Puts an image in a place.
    pub fn put_image(&mut self, place: u32, image: &Image) {
        let mut inner = Array::create(1, 0).expect("an array for one image");
        inner.set(0, plain::image(image), 0).expect("the image");
        self.object.maps.policy.set(place, &inner, 0).expect("the slot of an image");
        self.images.push(inner);
    }

    /// Writes the settings.
    pub fn set(&mut self, settings: Settings) {
        self.settings = settings.sealed();
        self.object.maps.settings.set(0, Plain(self.settings), 0).expect("settings");
    }

    /// Sets the box's mode.
    pub fn mode(&mut self, mode: Mode) {
        let settings = Settings {
            mode: mode as u8,
            bypass: 0,
            // None of the cells that `new` wrote is changed.
            as_policy: 1,
            management_mac: MANAGEMENT,
            grace_until: self.grace_until,
            flows_per_device: FLOWS_PER_DEVICE,
            generation: self.settings.generation,
            bank: self.settings.bank,
            ..Settings::default()
        };
        self.set(settings);
    }

    /// Runs a frame through the root of its port.
    pub fn run(&mut self, side: Side, frame: &[u8]) -> Ran {
        let mut bytes = vec![0; frame.len().max(64) + 64];
        let root = ROOTS[side as usize];
        let program = self.object.program(root).expect("a root program");
        let options = TestRunOptions { data_in: Some(frame), data_out: Some(&mut bytes), ..TestRunOptions::default() };
        let ran = program.test_run(options).unwrap_or_else(|error| panic!("{root}, {} bytes: {error}", frame.len()));
        bytes.truncate(ran.data_size_out as usize);
        Ran { action: ran.return_value, bytes }
    }

    /// Runs a program `repeat` times on one frame: the kernel's own mean.
    pub fn time(&mut self, program: &'static str, frame: &[u8], repeat: u32) -> (Duration, u32) {
        let program = self.object.program(program).expect("a program of the object");
        let options = TestRunOptions { data_in: Some(frame), repeat, ..TestRunOptions::default() };
        let ran = program.test_run(options).expect("a test run");
        (ran.duration, ran.return_value)
    }

    /// Instructions that the verifier followed, and bytes of machine code.
    pub fn size(&mut self, program: &'static str) -> (u32, u32) {
        let info = self.object.program(program).expect("a program of the object").info().expect("its description");
        let verified = info.verified_instruction_count().expect("a kernel that counts them, 5.16 or newer");
        (verified, info.size_jitted())
    }

    /// Puts a program into a slot.
    pub fn put(&mut self, program: &'static str, slot: u32) {
        let fd = self.object.program(program).expect("a program of the object").fd().expect("loaded");
        let fd = fd.try_clone().expect("another handle");
        self.object.maps.slots.set(slot, &fd, 0).expect("the slot");
    }

    /// The record of the frame that ran last.
    pub fn scratch(&self) -> Scratch {
        self.here(self.object.maps.scratch.get(&0, 0).expect("the record").iter().copied()).0
    }

    /// A conversation.
    pub fn flow(&self, slot: u32) -> Flow {
        self.object.maps.flow_table.get(&slot, 0).expect("a flow").0
    }

    /// Of the values per CPU the one of the CPU that this thread stays on.
    pub fn here<V>(&self, mut values: impl Iterator<Item = V>) -> V {
        values.nth(self.cpu).expect("a value for every CPU")
    }

    /// Events since the last call.
    pub fn events(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(item) = self.events.next() {
            assert_eq!(item.len(), size_of::<Event>(), "length of an event");
            // SAFETY: as long as an event, which is plain old data.
            events.push(unsafe { item.as_ptr().cast::<Event>().read_unaligned() });
        }
        events
    }
}
