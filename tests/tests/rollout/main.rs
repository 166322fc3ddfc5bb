//! The rollout through the real binary on live traffic of two protocols: the whole way from the first plug to signed-off
//! enforcement, and who may walk it.

mod back;
mod candidate;
mod grants;
mod modbus;
mod plant;
mod roles;
mod s7comm;
mod way;

/// What a box begins with of which nobody knows anything yet.
const EMPTY: &str = "[policy]\nname = \"line\"\nrevision = 1\n\n[[ethernet]]\ntypes = [\"arp\"]\naction = \"allow\"\n";
