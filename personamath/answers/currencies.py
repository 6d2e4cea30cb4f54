"""Currencies by their codes: `USD 5`, `5 CAD`, `A$5`. Dollars are those of any country unless it is said whose."""

_OTHERS = "AED BRL CZK DKK EGP HUF IDR ILS MYR NGN NOK PKR PLN SAR SEK THB TRY TWD VND ZAR"

ISO_CODES = {
    **{code: code for code in _OTHERS.split()},
    **{"USD": "dollar US", "CAD": "dollar CA", "AUD": "dollar AU", "NZD": "dollar NZ", "HKD": "dollar HK"},
    **{"SGD": "dollar SG", "EUR": "euro", "GBP": "pound", "JPY": "yen", "INR": "rupee", "CNY": "yuan", "RMB": "yuan"},
    **{"Rs": "rupee", "CHF": "franc", "KRW": "won", "MXN": "peso MX", "PHP": "peso PH", "RUB": "ruble"},
}
"""The unit that each code of ISO 4217, or letters in its place, stands for."""

CODE = rf"(?:{'|'.join(ISO_CODES)})"

DOLLARS = {"US": "US", "CA": "CA", "C": "CA", "AU": "AU", "A": "AU", "NZ": "NZ", "HK": "HK", "S": "SG"}
"""Whose dollars letters before the sign of the dollar, or before the word, mean."""

NAMES_OF_MONEY = ISO_CODES | {f"{letters} dollars": f"dollar {country}" for letters, country in DOLLARS.items()}
"""The unit that a code, or `US dollars`, stands for."""
