"""Assembles the HTTP application: every controller, its parts in place, behind the gate."""

from dishka import AsyncContainer
from litestar import Controller

from opora.api import http
from opora.api.calls import current_actor
from opora.api.edge import EdgeParts, wrap
from opora.api.gate import Gate
from opora.api.openapi import document
from opora.api.v1.account import AccountController
from opora.api.v1.appointments import AppointmentController
from opora.api.v1.audit import AuditController
from opora.api.v1.auth import AuthController, WellKnownController
from opora.api.v1.banking import BankingTicketController, PacketController, ReconciliationController
from opora.api.v1.calendars import CalendarController
from opora.api.v1.chat import ChatController, ModelController
from opora.api.v1.clients import ClientController, DocumentListController
from opora.api.v1.confirmations import ConfirmationController
from opora.api.v1.contracts import ContractController
from opora.api.v1.deliveries import DeliveryController
from opora.api.v1.desk import DeskController
from opora.api.v1.directories import GeoController, ProviderController
from opora.api.v1.documents import DocumentController
from opora.api.v1.events import EventSchemaController
from opora.api.v1.exports import ExportController
from opora.api.v1.gateway import GatewayController
from opora.api.v1.generation import GenerationController
from opora.api.v1.guide import GuideController
from opora.api.v1.hours import AvailabilityController, SlotController
from opora.api.v1.keys import KeyController
from opora.api.v1.limits import LimitController
from opora.api.v1.live import LiveController, TicketController
from opora.api.v1.notifications import EndpointController, NotificationController, SubscriptionController
from opora.api.v1.numbers import NumberController
from opora.api.v1.oauth import MetadataController, OAuthController
from opora.api.v1.offerings import OfferingController
from opora.api.v1.payments import BalanceController, PaymentController
from opora.api.v1.plans import PlanController, PlanSubscriptionController
from opora.api.v1.profiles import ProfileController
from opora.api.v1.project_links import ProjectLinkController
from opora.api.v1.projects import ProjectController
from opora.api.v1.prompts import PromptController
from opora.api.v1.reference import ReferenceController
from opora.api.v1.service import HealthController, VersionController
from opora.api.v1.sessions import SessionController
from opora.api.v1.softphone import SoftphoneController
from opora.api.v1.suppressions import SuppressionController
from opora.api.v1.transfers import ImportUploadController, TransferController
from opora.api.v1.unsubscribing import UnsubscribeController
from opora.api.v1.users import UserController
from opora.api.v1.waitlist import WaitlistController
from opora.bootstrap.binding import bind, outline

type Controllers = tuple[type[Controller], ...]

WATCHING: Controllers = (VersionController, LimitController, AuditController, EventSchemaController)

ACCESS: Controllers = (
    AuthController,
    AccountController,
    SessionController,
    GatewayController,
    OAuthController,
    UserController,
    KeyController,
)

PROFILES: Controllers = (ProfileController, ExportController)

NOTIFICATIONS: Controllers = (
    NotificationController,
    SubscriptionController,
    EndpointController,
    UnsubscribeController,
    DeliveryController,
    TicketController,
    LiveController,
)

DOCUMENTS: Controllers = (DocumentController, DeskController, ClientController, DocumentListController)

BANKING: Controllers = (ContractController, PacketController, BankingTicketController, ReconciliationController)

NUMBERS: Controllers = (
    ProjectController,
    ProjectLinkController,
    ProviderController,
    GeoController,
    NumberController,
    SuppressionController,
    SoftphoneController,
)

TRANSFERS: Controllers = (ImportUploadController, TransferController)

BOOKINGS: Controllers = (
    OfferingController,
    AvailabilityController,
    SlotController,
    AppointmentController,
    WaitlistController,
    CalendarController,
)

BILLING: Controllers = (BalanceController, PaymentController, ConfirmationController)
PLANS: Controllers = (PlanController, PlanSubscriptionController)


GENERATION: Controllers = (GenerationController, PromptController, ChatController, ModelController)

VERSIONED: Controllers = (
    *WATCHING,
    *ACCESS,
    *PROFILES,
    *NOTIFICATIONS,
    *DOCUMENTS,
    *BANKING,
    *NUMBERS,
    *TRANSFERS,
    *BOOKINGS,
    *PLANS,
    *BILLING,
    *GENERATION,
)
"""Controllers under /api/v1."""

AT_ROOT: Controllers = (HealthController, ReferenceController, GuideController, WellKnownController, MetadataController)
"""Controllers at the root."""


async def gate_of(container: AsyncContainer) -> Gate:
    """Build the application; a handler without a policy or without its parts stops the start."""
    parts = await container.get(EdgeParts)
    versioned = [await bind(one, container, current_actor) for one in VERSIONED]
    at_root = [await bind(one, container, current_actor) for one in AT_ROOT]
    return wrap(http.application(versioned, at_root, problem_base_url=parts.settings.problem_base_url), parts)


def openapi_document() -> bytes:
    """Return the OpenAPI document as JSON, the one that a service gives out, without opening anything."""
    return document(http.application([outline(one) for one in VERSIONED], [outline(one) for one in AT_ROOT]))
