-- Peers were learned for the assessor {version:String}.
INSERT INTO {{ table('assessor_frozen') }} VALUES ({version:String})
