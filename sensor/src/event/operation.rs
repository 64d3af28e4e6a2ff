//! What can be done in a guest.

use std::fmt;
use std::sync::Arc;

/// What can be done in a guest, by the names of the API (vSphere Web Services, the managers below
/// `GuestOperationsManager`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// `StartProgramInGuest`
    StartProgram,
    /// `ListProcessesInGuest`
    ListProcesses,
    /// `TerminateProcessInGuest`
    TerminateProcess,
    /// `ReadEnvironmentVariableInGuest`
    ReadEnvironmentVariable,
    /// `ListFilesInGuest`
    ListFiles,
    /// `InitiateFileTransferFromGuest`
    FileTransferFromGuest,
    /// `InitiateFileTransferToGuest`
    FileTransferToGuest,
    /// `CreateTemporaryFileInGuest`
    CreateTemporaryFile,
    /// `CreateTemporaryDirectoryInGuest`
    CreateTemporaryDirectory,
    /// `DeleteFileInGuest`
    DeleteFile,
    /// `DeleteDirectoryInGuest`
    DeleteDirectory,
    /// `MakeDirectoryInGuest`
    MakeDirectory,
    /// `MoveFileInGuest`
    MoveFile,
    /// `MoveDirectoryInGuest`
    MoveDirectory,
    /// `ChangeFileAttributesInGuest`
    ChangeFileAttributes,
    /// `ValidateCredentialsInGuest`
    ValidateCredentials,
    /// `AcquireCredentialsInGuest`
    AcquireCredentials,
    /// `ReleaseCredentialsInGuest`
    ReleaseCredentials,
    /// `AddGuestAlias`: from then on, somebody of single sign-on is let into the guest.
    AddAlias,
    /// `RemoveGuestAlias`
    RemoveAlias,
    /// `RemoveGuestAliasByCert`
    RemoveAliasByCertificate,
    /// `ListGuestAliases`
    ListAliases,
    /// `ListGuestMappedAliases`
    ListMappedAliases,
    /// `CreateRegistryKeyInGuest`
    CreateRegistryKey,
    /// `DeleteRegistryKeyInGuest`
    DeleteRegistryKey,
    /// `ListRegistryKeysInGuest`
    ListRegistryKeys,
    /// `SetRegistryValueInGuest`
    SetRegistryValue,
    /// `DeleteRegistryValueInGuest`
    DeleteRegistryValue,
    /// `ListRegistryValuesInGuest`
    ListRegistryValues,
    /// Another one, as the message has it.
    Other(Arc<str>),
}

impl Operation {
    /// All that have a name of their own.
    pub const ALL: [Self; 29] = [
        Self::StartProgram,
        Self::ListProcesses,
        Self::TerminateProcess,
        Self::ReadEnvironmentVariable,
        Self::ListFiles,
        Self::FileTransferFromGuest,
        Self::FileTransferToGuest,
        Self::CreateTemporaryFile,
        Self::CreateTemporaryDirectory,
        Self::DeleteFile,
        Self::DeleteDirectory,
        Self::MakeDirectory,
        Self::MoveFile,
        Self::MoveDirectory,
        Self::ChangeFileAttributes,
        Self::ValidateCredentials,
        Self::AcquireCredentials,
        Self::ReleaseCredentials,
        Self::AddAlias,
        Self::RemoveAlias,
        Self::RemoveAliasByCertificate,
        Self::ListAliases,
        Self::ListMappedAliases,
        Self::CreateRegistryKey,
        Self::DeleteRegistryKey,
        Self::ListRegistryKeys,
        Self::SetRegistryValue,
        Self::DeleteRegistryValue,
        Self::ListRegistryValues,
    ];

    /// Its name in the API.
    pub fn name(&self) -> &str {
        match self {
            Self::StartProgram => "StartProgramInGuest",
            Self::ListProcesses => "ListProcessesInGuest",
            Self::TerminateProcess => "TerminateProcessInGuest",
            Self::ReadEnvironmentVariable => "ReadEnvironmentVariableInGuest",
            Self::ListFiles => "ListFilesInGuest",
            Self::FileTransferFromGuest => "InitiateFileTransferFromGuest",
            Self::FileTransferToGuest => "InitiateFileTransferToGuest",
            Self::CreateTemporaryFile => "CreateTemporaryFileInGuest",
            Self::CreateTemporaryDirectory => "CreateTemporaryDirectoryInGuest",
            Self::DeleteFile => "DeleteFileInGuest",
            Self::DeleteDirectory => "DeleteDirectoryInGuest",
            Self::MakeDirectory => "MakeDirectoryInGuest",
            Self::MoveFile => "MoveFileInGuest",
            Self::MoveDirectory => "MoveDirectoryInGuest",
            Self::ChangeFileAttributes => "ChangeFileAttributesInGuest",
            Self::ValidateCredentials => "ValidateCredentialsInGuest",
            Self::AcquireCredentials => "AcquireCredentialsInGuest",
            Self::ReleaseCredentials => "ReleaseCredentialsInGuest",
            Self::AddAlias => "AddGuestAlias",
            Self::RemoveAlias => "RemoveGuestAlias",
            Self::RemoveAliasByCertificate => "RemoveGuestAliasByCert",
            Self::ListAliases => "ListGuestAliases",
            Self::ListMappedAliases => "ListGuestMappedAliases",
            Self::CreateRegistryKey => "CreateRegistryKeyInGuest",
            Self::DeleteRegistryKey => "DeleteRegistryKeyInGuest",
            Self::ListRegistryKeys => "ListRegistryKeysInGuest",
            Self::SetRegistryValue => "SetRegistryValueInGuest",
            Self::DeleteRegistryValue => "DeleteRegistryValueInGuest",
            Self::ListRegistryValues => "ListRegistryValuesInGuest",
            Self::Other(name) => name,
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
