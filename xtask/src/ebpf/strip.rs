//! Takes out of the object what only debuggers read.

use anyhow::{Context, ensure};
use object::build::elf::{Builder, SectionData};
use object::elf::SHT_STRTAB;

/// The object without DWARF; BTF, which the kernel and the verifier's log use, stays.
pub(super) fn debug_info(object: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut builder = Builder::read(object).context("the linker wrote no ELF object")?;
    for section in &mut builder.sections {
        let name = String::from_utf8_lossy(section.name.as_slice());
        section.delete = name.starts_with(".debug") || name.starts_with(".rel.debug");
    }
    builder.delete_orphans();
    // LLVM has one table for the names of symbols and of sections; here they are two.
    let names = builder.sections.add();
    names.name = ".shstrtab".into();
    names.sh_type = SHT_STRTAB;
    names.sh_addralign = 1;
    names.data = SectionData::SectionString;
    let mut stripped = Vec::new();
    builder.write(&mut stripped)?;
    ensure!(sections(&stripped)?.iter().any(|name| name == ".BTF"), "the object has no BTF");
    Ok(stripped)
}

/// The names of its sections.
pub(super) fn sections(object: &[u8]) -> anyhow::Result<Vec<String>> {
    let builder = Builder::read(object).context("this is no ELF object")?;
    let name = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
    Ok(builder.sections.iter().map(|section| name(section.name.as_slice())).collect())
}
