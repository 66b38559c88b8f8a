"""Refusals of the documents context."""

from opora.core.kernel.errors import Conflict, Gone, Invalid, NotFound, PermissionDenied, Unavailable, WrongMedia


class NoSuchDocument(NotFound):
    """No document has this id, or it is not the caller's."""

    code = "no_such_document"


class NoSuchClient(NotFound):
    """No user has this id, or the caller may not see them."""

    code = "no_such_client"


class NoSuchCategory(Invalid):
    """There is no such category of documents."""

    code = "no_such_category"


class CategoryTaken(Conflict):
    """A category of this name or code is there already."""

    code = "category_taken"


class CoreBankingUnavailable(Unavailable):
    """The bank's own system does not answer."""

    code = "core_banking_unavailable"


class CoreBankingRefused(Conflict):
    """The bank's own system will not take this packet, however often it is sent."""

    code = "core_banking_refused"


class BadRegister(Conflict):
    """The bank's register of what it holds cannot be used."""

    code = "bad_register"


class NoSuchPacket(NotFound):
    """There is no such packet."""

    code = "no_such_packet"


class NoSuchTicket(NotFound):
    """There is no such ticket."""

    code = "no_such_ticket"


class TicketClosed(Conflict):
    """The ticket is closed already."""

    code = "ticket_closed"


class NoSuchReconciliation(NotFound):
    """There is no such reconciliation."""

    code = "no_such_reconciliation"


class NoSuchContract(NotFound):
    """No contract has this id, or it is not the caller's."""

    code = "no_such_contract"


class NotTheContractsClient(PermissionDenied):
    """The document belongs to another client than the contract."""

    code = "not_the_contracts_client"


class AlreadyLinked(Conflict):
    """The document is linked to this contract already."""

    code = "already_linked"


class NoSuchLink(NotFound):
    """The document is not linked to this contract."""

    code = "no_such_link"


class ContractClosed(Conflict):
    """The contract is closed: nothing is linked to it any more."""

    code = "contract_closed"


class InvalidLink(Invalid):
    """The link's new status is not one that links have."""

    code = "invalid_link"


class InvalidDocument(Invalid):
    """The document cannot be taken: a field of it is out of its bounds."""

    code = "invalid_document"


class DocumentInUse(Conflict):
    """The bank has begun to work on the document; it cannot be deleted any more."""

    code = "document_in_use"


class NotScanned(Conflict):
    """The virus scanner has not passed the file yet."""

    code = "document_not_scanned"


class NotTheWorker(PermissionDenied):
    """A worker acts in their own name; only an admin names another."""

    code = "not_the_worker"


class MoveNotYours(PermissionDenied):
    """This move is not for whoever asks."""

    code = "move_not_yours"


class FourEyes(PermissionDenied):
    """Whoever sent a document in or took it up does not decide on it."""

    code = "four_eyes"


class CommentNeeded(Invalid):
    """This move says why: a comment is needed."""

    code = "comment_needed"


class DocumentPurged(Gone):
    """The file was kept for its time and is gone."""

    code = "document_purged"


class DocumentQuarantined(PermissionDenied):
    """The scanner found something harmful in the file; it is not handed out."""

    code = "document_quarantined"


class UnsupportedFile(WrongMedia):
    """The file is none of the kinds that are taken, whatever its name says."""

    code = "unsupported_file"


class MacroFile(WrongMedia):
    """The file carries macros or other active content."""

    code = "macro_file"


class PolyglotFile(WrongMedia):
    """The file is of two kinds at once, or carries another one behind its end."""

    code = "polyglot_file"


class EmptyFile(Invalid):
    """The file has no content."""

    code = "empty_file"


class DamagedFile(Invalid):
    """The file is damaged: it cannot be read as what it says it is."""

    code = "damaged_file"


class EncryptedFile(Invalid):
    """The file is encrypted; send it without a password."""

    code = "encrypted_file"


class FileBomb(Invalid):
    """The file unpacks to far more than its size, or takes more time or memory to read than it is given."""

    code = "file_bomb"


class DocumentHeld(Conflict):
    """The document is held as evidence and cannot be deleted."""

    code = "document_held"


class NoPerson(PermissionDenied):
    """No person stands behind the caller, and only a person has documents."""

    code = "no_person"


class ScannerUnavailable(Unavailable):
    """The virus scanner does not answer."""

    code = "scanner_unavailable"


class JudgeUnavailable(Unavailable):
    """Files cannot be judged now."""

    code = "judge_unavailable"


class LinkInvalid(NotFound):
    """This link was not given out for this document."""

    code = "link_invalid"


class LinkExpired(Gone):
    """This link's time is over; ask for another."""

    code = "link_expired"


class InvalidClient(Invalid):
    """The client's profile cannot be kept: a field of it is out of its bounds."""

    code = "invalid_client"


class NotYoursToSay(PermissionDenied):
    """The bank says this of a client, not the client."""

    code = "not_yours_to_say"


class InvalidCategory(Invalid):
    """The category cannot be kept: a field of it is out of its bounds."""

    code = "invalid_category"
