-- The intent clusters, '' (weights of words) first, then in the order in which they were made.
SELECT Stratum, Buckets, Weights
FROM {{ table('intent_clusters') }} FINAL
ORDER BY toUInt32OrZero(substring(Stratum, 2))
