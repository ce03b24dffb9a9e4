//! No nonce occurs twice: not in forked children, which start with their parent's memory, and not
//! in threads.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs::File;
use std::io::Read as _;
use std::os::fd::FromRawFd as _;
use std::thread;

use cortexkey_kernels::{ProcessMark, ThreadGenerator};
use rand_core::TryRng as _;

const CHILDREN: usize = 1_000;
/// The number of nonces that each child draws.
const NONCES: usize = 1_000;

/// Sixteen bytes are enough to distinguish nonces. A kernel's nonces come from the same bytes.
type Drawn = [u8; 16];

fn draw() -> Drawn {
    let mut drawn = [0; 16];
    if let Some(kernel) = cortexkey_kernels::NonceKernel::detect() {
        let mut nonce = [0; 64];
        ThreadGenerator::new().try_fill_nonces(kernel, std::iter::once(&mut nonce)).unwrap();
        assert!(nonce.iter().all(u8::is_ascii_alphanumeric));
        drawn.copy_from_slice(&nonce[..16]);
        return drawn;
    }
    ThreadGenerator::new().try_fill_bytes(&mut drawn).unwrap();
    drawn
}

#[test]
fn forked_children_draw_distinct_nonces() {
    let mut all = Vec::with_capacity(CHILDREN * (NONCES + 1));
    for child in 0..CHILDREN {
        // The parent's buffer is partly used when it forks, each time at a different position.
        all.push(draw());
        let (mut from_child, to_parent) = pipe();
        // SAFETY: the child only draws, writes and exits: it takes no lock and allocates nothing.
        if unsafe { libc::fork() } == 0 {
            draw_and_exit(to_parent);
        }
        // SAFETY: the end is open, and this process needs it no more.
        unsafe { libc::close(to_parent) };
        let mut bytes = Vec::new();
        from_child.read_to_end(&mut bytes).unwrap();
        let (drawn, _) = bytes.as_chunks();
        assert_eq!(drawn.len(), NONCES, "child {child}");
        all.extend_from_slice(drawn);
        // SAFETY: it waits for a child of this process and wants no status.
        unsafe { libc::wait(std::ptr::null_mut()) };
    }
    assert_all_differ(all);
}

#[test]
fn a_mark_belongs_to_its_process() {
    let mark = ProcessMark::new();
    // SAFETY: the child only looks, makes a mark and exits.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let is_right = !mark.is_here() && ProcessMark::new().is_here();
        // SAFETY: it ends the process, without what belongs to the parent.
        unsafe { libc::_exit(i32::from(!is_right)) };
    }
    let mut status = -1;
    // SAFETY: it waits for the child, whose status has its place.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    assert_eq!(status, 0, "the child takes its parent's mark for its own");
    assert!(mark.is_here());
}

#[test]
fn threads_draw_distinct_nonces() {
    let threads: Vec<_> =
        (0..8).map(|_| thread::spawn(|| (0..50_000).map(|_| draw()).collect::<Vec<_>>())).collect();
    assert_all_differ(threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect());
}

fn assert_all_differ(mut all: Vec<Drawn>) {
    all.sort_unstable();
    let twice = all.windows(2).filter(|pair| pair[0] == pair[1]).count();
    assert_eq!(twice, 0, "of {} nonces some came twice", all.len());
}

/// The reading end, and the file descriptor of the writing end.
fn pipe() -> (File, i32) {
    let mut ends = [0; 2];
    // SAFETY: the system writes two file descriptors.
    assert_eq!(unsafe { libc::pipe(ends.as_mut_ptr()) }, 0);
    // SAFETY: the end is open, and nobody else has it.
    (unsafe { File::from_raw_fd(ends[0]) }, ends[1])
}

fn draw_and_exit(to_parent: i32) -> ! {
    let mut all = [[0; 16]; NONCES];
    for drawn in &mut all {
        *drawn = draw();
    }
    let all = all.as_flattened();
    // SAFETY: so many bytes are there, and a pipe has room for them.
    unsafe { libc::write(to_parent, all.as_ptr().cast(), all.len()) };
    // SAFETY: it ends the process, without what belongs to the parent.
    unsafe { libc::_exit(0) }
}
