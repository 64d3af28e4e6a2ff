//! Writing programs of classic BPF. (Linux, `Documentation/networking/filter.rst`.)

use libc::sock_filter;

/// `BPF_JA`, `BPF_JEQ` and `BPF_JSET`, as codes of jumps.
const ALWAYS: u32 = libc::BPF_JMP;
const EQUAL: u32 = libc::BPF_JMP | 0x10;
const SET: u32 = libc::BPF_JMP | 0x40;

/// A program, written from its end: classic BPF jumps only forward, so that whatever is jumped to is
/// there before the jump is.
#[derive(Debug, Default)]
pub(in crate::capture) struct Program {
    /// The last one first.
    instructions: Vec<sock_filter>,
}

/// A place in a program to jump to: how many instructions there are from it to the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::capture) struct Label(usize);

/// A step of a program. The machine has an accumulator A, an index X and 16 cells of memory.
#[derive(Debug, Clone, Copy)]
pub(in crate::capture) enum Step {
    /// One instruction that is no jump: its code and constant.
    Do(u32, u32),
    /// Adds a constant to X; A is lost.
    Advance(u32),
    /// Goes on elsewhere.
    Go(Label),
    /// Goes on elsewhere if A equals a constant.
    IfEqual(u32, Label),
    /// Goes on elsewhere if A has any of these bits.
    IfAny(u32, Label),
    /// Goes on elsewhere if A has none of these bits.
    IfNone(u32, Label),
}

impl Program {
    /// Puts steps before what there is; where they begin. What was written last before them follows.
    pub(in crate::capture) fn put(&mut self, steps: &[Step]) -> Label {
        for step in steps.iter().rev() {
            match *step {
                Step::Do(code, k) => self.push(code, k, [0, 0]),
                Step::Advance(by) => {
                    let all =
                        [step::index_to_accumulator(), step::add(by), step::accumulator_to_index()];
                    self.put(&all);
                }
                Step::Go(to) => self.go(to),
                Step::IfEqual(k, to) => self.go_if(EQUAL, k, to),
                Step::IfAny(bits, to) => self.go_if(SET, bits, to),
                Step::IfNone(bits, to) => {
                    self.go(to);
                    self.push(SET, bits, [1, 0]);
                }
            }
        }
        Label(self.instructions.len())
    }

    /// All of it, in the order of the kernel.
    pub(in crate::capture) fn finish(mut self) -> Vec<sock_filter> {
        self.instructions.reverse();
        self.instructions
    }

    /// Instructions between here and a label.
    fn distance(&self, to: Label) -> usize {
        self.instructions.len() - to.0
    }

    fn go(&mut self, to: Label) {
        self.push(ALWAYS, self.distance(to) as u32, [0, 0]);
    }

    /// Conditional jumps reach 255 instructions far.
    fn go_if(&mut self, test: u32, k: u32, to: Label) {
        match u8::try_from(self.distance(to)) {
            Ok(near) => self.push(test, k, [near, 0]),
            Err(_) => {
                self.go(to);
                self.push(test, k, [0, 1]);
            }
        }
    }

    fn push(&mut self, code: u32, k: u32, [jt, jf]: [u8; 2]) {
        self.instructions.push(sock_filter { code: code as u16, jt, jf, k });
    }
}

/// Steps of one instruction each.
pub(in crate::capture) mod step {
    use super::Step;

    /// `BPF_A` as what is returned, `BPF_X` as what is reckoned with, and what `BPF_MISC` does.
    const A: u32 = 0x10;
    const X: u32 = 0x08;
    const TAX: u32 = libc::BPF_MISC;
    const TXA: u32 = libc::BPF_MISC | 0x80;

    const fn load(size: u32, at: u32) -> Step {
        Step::Do(libc::BPF_LD | libc::BPF_IND | size, at)
    }

    const fn alu(operation: u32, k: u32) -> Step {
        Step::Do(libc::BPF_ALU | operation, k)
    }

    /// A: the byte of the packet at X and so many bytes behind. Beyond the packet's end this ends the
    /// program, and it returns 0; so do the next two.
    pub(in crate::capture) const fn byte(at: u32) -> Step {
        load(libc::BPF_B, at)
    }

    /// A: the two bytes there.
    pub(in crate::capture) const fn half(at: u32) -> Step {
        load(libc::BPF_H, at)
    }

    /// A: the four bytes there.
    pub(in crate::capture) const fn word(at: u32) -> Step {
        load(libc::BPF_W, at)
    }

    /// A: what the kernel knows of the packet beside its bytes, an `SKF_AD_` number.
    pub(in crate::capture) const fn known(what: i32) -> Step {
        let at = (libc::SKF_AD_OFF + what).cast_unsigned();
        Step::Do(libc::BPF_LD | libc::BPF_ABS | libc::BPF_W, at)
    }

    /// A: a constant.
    pub(in crate::capture) const fn constant(k: u32) -> Step {
        Step::Do(libc::BPF_LD | libc::BPF_IMM, k)
    }

    /// X: a constant.
    pub(in crate::capture) const fn index(k: u32) -> Step {
        Step::Do(libc::BPF_LDX | libc::BPF_IMM, k)
    }

    /// Memory: A.
    pub(in crate::capture) const fn keep(cell: u32) -> Step {
        Step::Do(libc::BPF_ST, cell)
    }

    /// Memory: X.
    pub(in crate::capture) const fn keep_index(cell: u32) -> Step {
        Step::Do(libc::BPF_STX, cell)
    }

    /// A: memory.
    pub(in crate::capture) const fn recall(cell: u32) -> Step {
        Step::Do(libc::BPF_LD | libc::BPF_MEM, cell)
    }

    /// X: memory.
    pub(in crate::capture) const fn recall_index(cell: u32) -> Step {
        Step::Do(libc::BPF_LDX | libc::BPF_MEM, cell)
    }

    /// X: A.
    pub(in crate::capture) const fn accumulator_to_index() -> Step {
        Step::Do(TAX, 0)
    }

    /// A: X.
    pub(in crate::capture) const fn index_to_accumulator() -> Step {
        Step::Do(TXA, 0)
    }

    /// A: A and a constant, added.
    pub(in crate::capture) const fn add(k: u32) -> Step {
        alu(libc::BPF_ADD, k)
    }

    /// A: A and X, added.
    pub(in crate::capture) const fn add_index() -> Step {
        alu(libc::BPF_ADD | X, 0)
    }

    /// A: A multiplied by a constant.
    pub(in crate::capture) const fn multiply(k: u32) -> Step {
        alu(libc::BPF_MUL, k)
    }

    /// A: bits that A and a constant have.
    pub(in crate::capture) const fn and(k: u32) -> Step {
        alu(libc::BPF_AND, k)
    }

    /// A: bits that either A or X has.
    pub(in crate::capture) const fn xor_index() -> Step {
        alu(libc::BPF_XOR | X, 0)
    }

    /// A: A moved to the left.
    pub(in crate::capture) const fn left(by: u32) -> Step {
        alu(libc::BPF_LSH, by)
    }

    /// A: A moved to the right.
    pub(in crate::capture) const fn right(by: u32) -> Step {
        alu(libc::BPF_RSH, by)
    }

    /// Ends the program with A.
    pub(in crate::capture) const fn give() -> Step {
        Step::Do(libc::BPF_RET | A, 0)
    }
}
