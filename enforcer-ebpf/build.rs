//! Link options of the eBPF object.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "bpf") {
        // With the linker's default, memset and memmove of any size become calls of byte loops: slow, and a subprogram
        // that the verifier walks byte by byte.
        println!("cargo:rustc-link-arg=--disable-expand-memcpy-in-order");
        // Packet fields are read as words, not byte by byte: every architecture that this runs on allows it.
        println!("cargo:rustc-link-arg=--cpu-features=+allows-misaligned-mem-access");
    }
}
