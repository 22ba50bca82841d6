-- Number the items of each trajectory in order of the calls that tell them.
INSERT INTO {{ table('assembly_numbered') }}
SELECT N, row_number() OVER (PARTITION BY N ORDER BY Place), Kind, Named, Place, Message, ToolKey, Response
FROM {{ table('assembly_items') }}
