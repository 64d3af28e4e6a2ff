//! What the Guest Operations API can do, and its names in hostd's events and in calls.

/// An operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// `StartProgramInGuest`
    StartProgram,
    /// `ListProcessesInGuest`
    ListProcesses,
    /// `ListFilesInGuest`
    ListFiles,
    /// `InitiateFileTransferFromGuest`
    FileFromGuest,
    /// `InitiateFileTransferToGuest`
    FileToGuest,
    /// `CreateTemporaryFileInGuest`
    CreateTemporaryFile,
    /// `DeleteFileInGuest`
    DeleteFile,
}

impl Operation {
    /// What events call it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::StartProgram => "Start Program",
            Self::ListProcesses => "List Processes",
            Self::ListFiles => "List Files",
            Self::FileFromGuest => "Initiate File Transfer From Guest",
            Self::FileToGuest => "Initiate File Transfer To Guest",
            Self::CreateTemporaryFile => "Create Temporary File",
            Self::DeleteFile => "Delete File",
        }
    }

    /// What calls call it.
    pub const fn method(self) -> &'static str {
        match self {
            Self::StartProgram => "vim.vm.guest.ProcessManager.startProgram",
            Self::ListProcesses => "vim.vm.guest.ProcessManager.listProcesses",
            Self::ListFiles => "vim.vm.guest.FileManager.listFiles",
            Self::FileFromGuest => "vim.vm.guest.FileManager.initiateFileTransferFromGuest",
            Self::FileToGuest => "vim.vm.guest.FileManager.initiateFileTransferToGuest",
            Self::CreateTemporaryFile => "vim.vm.guest.FileManager.createTemporaryFile",
            Self::DeleteFile => "vim.vm.guest.FileManager.deleteFile",
        }
    }

    /// The text of its event.
    pub(super) fn event(self, vm: &str, is_refused: bool) -> String {
        let words = self.words();
        if is_refused {
            format!(
                "Guest operation authentication failed for operation {words} on Virtual machine {vm}."
            )
        } else {
            format!("Guest operation {words} performed on Virtual machine {vm}.")
        }
    }
}
