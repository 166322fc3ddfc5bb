//! The eBPF object: loads its maps and programs and fills the program array.
//!
//! Enters: where to pin, or nothing for a private copy (parity tests, benchmarks). Leaves: [`Object`], with every program
//! verified by the kernel. Nothing is attached here.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use aya::maps::{MapData, ProgramArray};
use aya::programs::{Xdp, XdpMode};
use aya::{Ebpf, EbpfLoader};
use enforcer_common::abi::slot;
use enforcer_common::protocol::{DISSECTORS, Dissector};

use super::maps::{MAPS, Maps, Sizes};

/// The object that was built with this controller.
pub(super) static OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/enforcer-ebpf"));

/// The stages that every frame or any protocol may come to.
const OWN: [(&str, u32); 26] = [
    ("known", slot::KNOWN),
    ("digest", slot::DIGEST),
    ("handshake", slot::HANDSHAKE),
    ("compare", slot::COMPARE),
    ("claim", slot::CLAIM),
    ("assemble", slot::ASSEMBLE),
    ("walk_network", slot::WALK_NETWORK),
    ("walk_device", slot::WALK_DEVICE),
    ("options", slot::OPTIONS),
    ("icmp", slot::ICMP),
    ("neighbour", slot::NEIGHBOUR),
    ("stream", slot::STREAM),
    ("conduit", slot::CONDUIT),
    ("judge", slot::JUDGE),
    ("search", slot::SEARCH),
    ("candidate", slot::CANDIDATE),
    ("compare_policy", slot::COMPARE_POLICY),
    ("differences", slot::DIFFERENCES),
    ("report", slot::REPORT),
    ("health", slot::HEALTH),
    ("measure", slot::MEASURE),
    ("keep", slot::KEEP),
    ("reset", slot::RESET),
    ("modbus_values", slot::MODBUS_VALUES),
    ("modbus_values_assembled", slot::MODBUS_VALUES_ASSEMBLED),
    ("empty", slot::EMPTY),
];

/// Programs behind the roots and the slots they stand in: the stages, and a pair per dissector.
pub fn stages() -> impl Iterator<Item = (&'static str, u32)> {
    let pair = |one: &Dissector| {
        [(one.program, slot::dissector(one.protocol)), (one.assembled, slot::assembled(one.protocol))]
    };
    OWN.into_iter().chain(DISSECTORS.iter().flat_map(pair))
}

/// Of the stages those that hold a frame against a candidate policy: an eighth of what the kernel verifies, and most boxes have no
/// candidate when they start.
const COMPARING: [&str; 3] = ["candidate", "compare_policy", "differences"];

/// The permanent programs, one per port.
pub const ROOTS: [&str; 2] = ["root_network", "root_device"];

/// The program that marked frames are sent out with; in no slot.
pub const TRIAL: &str = "trial";

/// Why the object did not load.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// The kernel refused the object or one of its maps.
    #[error("the kernel refused the program object: {0}")]
    Load(#[source] Box<aya::EbpfError>),
    /// The kernel's verifier refused a program.
    #[error("the kernel refused the program {program:?}: {cause}")]
    Program {
        /// Its name.
        program: &'static str,
        /// The last line that says why.
        cause: String,
    },
    /// A map is not what this controller expects.
    #[error("the map {map} cannot be used: {cause}")]
    Map {
        /// Its name.
        map: &'static str,
        /// Why.
        cause: String,
    },
}

/// The loaded object.
pub struct Object {
    ebpf: Ebpf,
    /// Its maps.
    pub maps: Maps,
}

impl Object {
    /// Loads the object, but for what [`Self::compare`] loads. With `pins`, maps that are pinned there are used again, and the
    /// others are pinned there and made with `sizes`.
    ///
    /// # Errors
    /// [`ObjectError`]; nothing was attached.
    pub fn load(pins: Option<&Path>, sizes: Sizes) -> Result<Self, ObjectError> {
        let mut loader = EbpfLoader::new();
        for name in ["FLOW_TABLE", "FLOWS_V4", "FLOWS_V6", "DEVICES"] {
            loader.map_max_entries(name, sizes.flows);
        }
        loader.map_max_entries("HALF_OPEN_FLOWS", sizes.half_open);
        if let Some(pins) = pins {
            for name in MAPS {
                loader.map_pin_path(name, pins.join(name));
            }
        }
        let mut ebpf = loader.load(OBJECT).map_err(|error| ObjectError::Load(Box::new(error)))?;
        let first = stages().map(|(name, _)| name).filter(|name| !COMPARING.contains(name));
        load_all(&mut ebpf, &ROOTS.into_iter().chain(first).chain([TRIAL]).collect::<Vec<_>>())?;
        give_back(OBJECT);
        let maps = Maps::take(&mut ebpf)?;
        let mut object = Self { ebpf, maps };
        object.fill_slots(|name| !COMPARING.contains(&name))?;
        Ok(object)
    }

    /// Loads what holds frames against a candidate policy, if that is not done yet: to be called before there is one.
    ///
    /// # Errors
    /// [`ObjectError`]; what is loaded goes on as before.
    pub fn compare(&mut self) -> Result<(), ObjectError> {
        load_all(&mut self.ebpf, &COMPARING)?;
        self.fill_slots(|name| COMPARING.contains(&name))
    }

    /// Puts the stages with these names into their slots, the first one last: until it is there, the old logic or none runs as a
    /// whole.
    fn fill_slots(&mut self, names: impl Fn(&str) -> bool) -> Result<(), ObjectError> {
        let bad = |cause: String| ObjectError::Map { map: "SLOTS", cause };
        let mut stages: Vec<_> = stages().filter(|(name, _)| names(name)).collect();
        stages.sort_by_key(|(_, slot)| std::cmp::Reverse(*slot));
        for (name, slot) in stages {
            let program = program(&mut self.ebpf, name)?;
            let fd = program.fd().map_err(|error| bad(error.to_string()))?;
            let slots: &mut ProgramArray<MapData> = &mut self.maps.slots;
            slots.set(slot, fd, 0).map_err(|error| bad(error.to_string()))?;
        }
        Ok(())
    }

    /// A program by name.
    ///
    /// # Errors
    /// When the object has no such program.
    pub fn program(&mut self, name: &'static str) -> Result<&mut Xdp, ObjectError> {
        program(&mut self.ebpf, name)
    }

    /// Attaches a root to an interface, by a link that can be pinned.
    ///
    /// # Errors
    /// The kernel's or driver's refusal.
    pub fn attach(
        &mut self,
        root: &'static str,
        interface: u32,
        mode: XdpMode,
    ) -> Result<aya::programs::links::FdLink, AttachError> {
        let program = program(&mut self.ebpf, root)?;
        let id = program.attach_to_if_index(interface, mode)?;
        let link = program.take_link(id)?;
        aya::programs::links::FdLink::try_from(link).map_err(|_| AttachError::NotPinnable)
    }
}

/// Why a program could not be attached.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    /// No such program.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// The kernel's or driver's refusal.
    #[error("{0}")]
    Refused(#[from] aya::programs::ProgramError),
    /// A link of an earlier version could not be taken over.
    #[error("{0}")]
    Link(#[from] aya::programs::links::LinkError),
    /// The kernel attached without a link: it would end with this process.
    #[error("this kernel attaches XDP programs without links, so enforcement would end with the controller")]
    NotPinnable,
}

/// Lets the kernel take the pages of a part of this program's file out of memory: it was read once, and is read again from
/// the file should anybody ask.
fn give_back(bytes: &'static [u8]) {
    const PAGE: usize = 4096;
    let (first, last) = (bytes.as_ptr().align_offset(PAGE), bytes.len());
    let length = last.saturating_sub(first) / PAGE * PAGE;
    if let Some(whole) = bytes.get(first..first.saturating_add(length)) {
        // SAFETY: whole pages of a read-only mapping of a file that nobody writes; what is dropped comes back as it was.
        unsafe { libc::madvise(whole.as_ptr().cast_mut().cast(), whole.len(), libc::MADV_DONTNEED) };
    }
}

/// Has the kernel verify the programs with these names that are not loaded yet, on all CPUs at once: it is what a start takes longest for.
fn load_all(ebpf: &mut Ebpf, names: &[&'static str]) -> Result<(), ObjectError> {
    let mut programs = Vec::new();
    for (name, program) in ebpf.programs_mut() {
        if let Some(name) = names.iter().find(|one| **one == name) {
            let program: &mut Xdp = program
                .try_into()
                .map_err(|_| ObjectError::Program { program: name, cause: "it is of another kind".into() })?;
            programs.push((*name, program));
        }
    }
    if let Some(name) = names.iter().find(|name| programs.iter().all(|(found, _)| found != *name)) {
        return Err(ObjectError::Program { program: name, cause: "it is not in the object".into() });
    }
    let hands = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let queue = Mutex::new(programs);
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let work = || {
        while let Some((name, program)) = next() {
            // By a time before, which may have failed at another.
            if program.fd().is_err() {
                program.load().map_err(|error| ObjectError::Program { program: name, cause: last_line(&error) })?;
            }
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..hands).map(|_| scope.spawn(work)).collect();
        let mut result = work();
        for other in others {
            result = result.and(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        result
    })
}

fn program<'a>(ebpf: &'a mut Ebpf, name: &'static str) -> Result<&'a mut Xdp, ObjectError> {
    let missing = || ObjectError::Program { program: name, cause: "it is not in the object".into() };
    ebpf.program_mut(name).ok_or_else(missing)?.try_into().map_err(|_| missing())
}

/// The verifier's log is thousands of lines; the last one before its statistics says what was wrong.
fn last_line(error: &aya::programs::ProgramError) -> String {
    use aya::programs::ProgramError;
    #[expect(clippy::wildcard_enum_match_arm, reason = "a foreign error: everything else prints itself")]
    match error {
        ProgramError::LoadError { io_error, verifier_log } => {
            let log = verifier_log.to_string();
            const STATISTICS: [&str; 3] = ["processed", "verification", "stack depth"];
            let is_reason = |line: &&str| !line.is_empty() && !STATISTICS.iter().any(|word| line.starts_with(word));
            let told = log.lines().rev().find(is_reason);
            told.map_or_else(|| io_error.to_string(), |line| format!("{io_error} ({line})"))
        }
        other => other.to_string(),
    }
}
