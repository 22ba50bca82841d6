-- Traces with news.
SELECT count() FROM {{ table('assembly_arrivals') }}
