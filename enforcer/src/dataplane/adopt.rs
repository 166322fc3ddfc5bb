//! What an earlier controller left pinned, and whether this one may go on with it.
//!
//! In: the directory of this layout's pins. Out: [`Left`]. The layout is in the directory's name, so another version's pins
//! are never opened; within it nothing is believed either: every map must be there with the kind and sizes that this
//! controller's object asks for, and the programs on the ports must be those that use exactly these maps. What does not
//! fit is moved aside, and the ports are handed over to new programs as from another version.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use aya::maps::{Array, Map, MapData, MapInfo, MapType};
use aya_obj::generated::bpf_map_type;
use enforcer_common::abi::{Settings, place};
use enforcer_common::policy::Image;
use sha2::{Digest as _, Sha256};

use super::maps::MAPS;
use super::object::{OBJECT, ROOTS};
use super::{plain, unhook};
use crate::policy::Compiled;

/// A map that holds one image.
pub type ImageMap = Array<MapData, plain::Plain<Image>>;

/// What is pinned in the directory of this layout.
#[derive(Debug, PartialEq, Eq)]
pub enum Left {
    /// Nothing.
    Nothing,
    /// All of it, as this controller would have made it.
    Whole,
    /// Something that this controller must not go on with, and why.
    Unfit(String),
}

/// Looks at the pins of this layout. Changes nothing.
#[must_use]
pub fn look(pins: &Path) -> Left {
    let empty = fs::read_dir(pins).map_or(true, |mut entries| entries.next().is_none());
    if empty {
        return Left::Nothing;
    }
    match fits(pins) {
        Ok(()) => Left::Whole,
        Err(why) => Left::Unfit(why),
    }
}

fn fits(pins: &Path) -> Result<(), String> {
    let object = aya_obj::Object::parse(OBJECT).map_err(|error| error.to_string())?;
    for name in MAPS {
        let wanted = object.maps.get(name).ok_or_else(|| format!("the object has no map {name}"))?;
        let found =
            MapInfo::from_pin(pins.join(name)).map_err(|error| format!("the map {name} is missing ({error})"))?;
        let kind = bpf_map_type::try_from(wanted.map_type()).ok().and_then(|kind| MapType::try_from(kind).ok());
        let sizes = (wanted.key_size(), wanted.value_size());
        if found.map_type().ok() != kind || (found.key_size(), found.value_size()) != sizes {
            return Err(format!("the map {name} is of another kind or size"));
        }
    }
    for root in ROOTS {
        let used = unhook::maps_of(&program_pin(pins, root))
            .map_err(|error| format!("the program {root} is not pinned ({error})"))?;
        for name in ["SLOTS", "SETTINGS"] {
            let map = MapInfo::from_pin(pins.join(name)).map_err(|error| error.to_string())?;
            if !used.contains(&map.id()) {
                return Err(format!("the program {root} uses another {name}"));
            }
        }
    }
    Ok(())
}

/// Where a root program is pinned.
#[must_use]
pub fn program_pin(pins: &Path, root: &str) -> PathBuf {
    pins.join(format!("program_{root}"))
}

/// The cell that the programs of these pins judge by; `None` when it is not there.
#[must_use]
pub fn settings(pins: &Path) -> Option<Settings> {
    let map = Map::Array(MapData::from_pin(pins.join("SETTINGS")).ok()?);
    Array::<MapData, plain::Plain<Settings>>::try_from(map).ok()?.get(&0, 0).ok().map(|cell| cell.0)
}

/// Moves the pins of this layout aside, where they count as those of another version: their programs go on until the
/// ports are handed over.
///
/// # Errors
/// What the kernel answered.
pub fn move_aside(pins: &Path) -> io::Result<()> {
    // The BPF file system takes no dots in names.
    let free =
        (1_u32..).map(|number| PathBuf::from(format!("{}_{number}", pins.display()))).find(|path| !path.exists());
    fs::rename(pins, free.unwrap_or_else(|| pins.with_extension("")))
}

/// The policy image that the kernel judges by, as its pin names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InForce {
    /// Its generation.
    pub generation: u32,
    /// See [`fingerprint`].
    pub fingerprint: u64,
}

/// Which image is in force; `None` when its pin is not there. The pin is made before the image is put in force, so one
/// that is not in force may be there too: the kernel's number of the map tells them apart.
#[must_use]
pub fn in_force(pins: &Path) -> Option<InForce> {
    let active = active_map(pins)?;
    image_pins(pins).find(|(_, path)| MapInfo::from_pin(path).is_ok_and(|info| info.id() == active)).map(|(one, _)| one)
}

/// The kernel's number of the map with the active image.
fn active_map(pins: &Path) -> Option<u32> {
    // Read as what it is to a process: numbers. Opening a map by its number would ask for more permissions.
    let outer = Map::Array(MapData::from_pin(pins.join("POLICY")).ok()?);
    Array::<MapData, u32>::try_from(outer).ok()?.get(&place::ACTIVE, 0).ok()
}

fn image_pins(pins: &Path) -> impl Iterator<Item = (InForce, PathBuf)> + use<> {
    let entries = fs::read_dir(pins).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
    entries.filter_map(|path| {
        let name = path.file_name()?.to_str()?;
        let (generation, fingerprint) = name.strip_prefix("image_")?.split_once('_')?;
        let generation = generation.parse().ok()?;
        let fingerprint = u64::from_str_radix(fingerprint, 16).ok()?;
        Some((InForce { generation, fingerprint }, path))
    })
}

/// Pins the map with an image, so that the next controller knows it again.
///
/// # Errors
/// What the kernel answered.
pub fn pin_image(pins: &Path, compiled: &Compiled, map: ImageMap) -> Result<ImageMap, String> {
    let one = in_force_as(compiled);
    let path = pins.join(format!("image_{}_{:016x}", one.generation, one.fingerprint));
    let _ = fs::remove_file(&path);
    map.pin(&path).map_err(|error| error.to_string())?;
    let again = MapData::from_pin(&path).map_err(|error| error.to_string())?;
    ImageMap::try_from(Map::Array(again)).map_err(|error| error.to_string())
}

/// Removes the pins of images that are not in force.
pub fn forget_images(pins: &Path, compiled: &Compiled) {
    let kept = in_force_as(compiled);
    for (_, path) in image_pins(pins).filter(|(one, _)| *one != kept) {
        let _ = fs::remove_file(path);
    }
}

/// What the pin of this image says.
#[must_use]
pub fn in_force_as(compiled: &Compiled) -> InForce {
    InForce { generation: compiled.image.header.generation, fingerprint: fingerprint(compiled) }
}

/// The first eight bytes of the image's SHA-256.
fn fingerprint(compiled: &Compiled) -> u64 {
    let digest = Sha256::digest(plain::bytes(&compiled.image));
    digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}
