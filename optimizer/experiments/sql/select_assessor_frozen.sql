-- For whom peers were learned last; at most one row.
SELECT Version FROM {{ table('assessor_frozen') }}
