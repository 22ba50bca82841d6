-- Asked calls and tool spans without a partner.
SELECT
    (SELECT count() FROM {{ table('assembly_told') }} WHERE Kind = 3) - (SELECT count() FROM {{ table('assembly_matches') }}),
    (SELECT count() FROM {{ table('assembly_calls') }} WHERE Class = 'tool') - (SELECT count() FROM {{ table('assembly_matches') }})
