"""How satisfied users were: features, a calibrated model, rates with honest intervals."""
