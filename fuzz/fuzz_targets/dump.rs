//! Any bytes are a raw dump or are refused.
#![no_main]

use sockeye::kernel::sock_diag::dump_file;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = dump_file::decode(bytes, |_| {});
});
