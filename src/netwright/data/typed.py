"""The used columns with plain types, for models that are not networks."""

import pandas as pd

from netwright.data.apply_table import booleans, date_parts, dates, numbers, texts
from netwright.data.dataset import Dataset
from netwright.data.profiles import Profile


def typed_features(dataset: Dataset, profile: Profile) -> pd.DataFrame:
    """A table's used columns: numbers as f64 (NaN: missing), dates as their parts, categories as strings."""
    columns = {}
    for column in profile.columns:
        if not column.used:
            continue
        series = dataset.inputs[column.name]
        if column.kind == "numeric":
            columns[column.name] = numbers(series)
        elif column.kind == "boolean":
            columns[column.name] = booleans(series)
        elif column.kind == "date":
            parts = date_parts(dates(series, str(column.format)))
            if column.name == dataset.time_column:  # later rows lie beyond everything that was learned of these
                del parts["year"], parts["ordinal"]
            columns |= {f"{column.name}: {name}": values for name, values in parts.items()}
        else:
            columns[column.name] = texts(series).to_numpy(dtype=object)
    return pd.DataFrame(columns, index=dataset.inputs.index)
