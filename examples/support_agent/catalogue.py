"""The shop's fixed data: products, policy articles, names, and where parcels are."""

from datetime import date
from typing import NamedTuple

TODAY = date(2026, 3, 2)
"""The day on which the order database was 'taken'; nothing in it depends on the real clock."""


class Product(NamedTuple):
    """One article of the shop."""

    sku: str
    name: str
    price_usd: float
    units: int
    restock_on: str
    warehouse_reachable: bool = True


PRODUCTS: tuple[Product, ...] = (
    Product("LMP-01", "Aurora Lamp", 79.0, 14, "2026-03-20"),
    Product("LMP-02", "Borealis Lamp", 129.0, 0, "2026-03-16"),
    Product("LMP-03", "Cinder Lamp", 49.0, 31, "2026-04-01"),
    Product("LMP-04", "Dusk Lantern", 35.0, 7, "2026-03-25"),
    Product("AUD-01", "Echo Headphones", 199.0, 5, "2026-03-12"),
    Product("AUD-02", "Fjord Speaker", 149.0, 0, "2026-03-30"),
    Product("AUD-03", "Glade Earbuds", 89.0, 42, "2026-03-18"),
    Product("AUD-04", "Harbor Radio", 110.0, 3, "2026-04-10", warehouse_reachable=False),
    Product("ACC-01", "Ivory Stand", 25.0, 60, "2026-03-10"),
    Product("ACC-02", "Juniper Cable", 12.0, 200, "2026-03-10"),
    Product("ACC-03", "Kelp Case", 18.0, 0, "2026-03-22"),
    Product("ACC-04", "Lumen Dimmer", 29.0, 11, "2026-03-28"),
)

ARTICLES: tuple[tuple[str, str], ...] = (
    (
        "Refund window",
        "A purchase can be returned for a full refund within 30 days of delivery.",
    ),
    ("Warranty", "Every lamp and every audio product has a warranty of 24 months."),
    ("Shipping cost", "Shipping costs $4.90; it is free for orders above $100."),
    ("Payment", "We take cards and gift cards; the card is charged when the parcel leaves."),
)

FIRST_NAMES = (
    "Ana", "Bruno", "Clara", "Dario", "Elif", "Farid", "Greta", "Hugo", "Ines", "Jonas",
    "Kira", "Luca", "Maya", "Nils", "Olga",
)  # fmt: skip
LAST_NAMES = ("Almeida", "Berg", "Costa", "Dahl")
STREETS = ("Elm Street", "Harbour Road", "Mill Lane", "Station Square", "Vine Alley")
CITIES = ("Porto", "Ghent", "Aarhus", "Turin", "Graz", "Lyon")
CARRIERS = ("SwiftPost", "BlueVan")
DEPOTS = ("the Ghent depot", "the Lyon depot", "the Turin depot", "the local van")

N_CUSTOMERS = 900
ORDERS_PER_CUSTOMER = 2
FIRST_ORDER = 1001
