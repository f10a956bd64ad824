using sap from '../db/schema';
service API_SALES_ORDER_SRV @(path:'API_SALES_ORDER_SRV',requires:'authenticated-user') { entity A_SalesOrder as projection on sap.SalesOrder; }
service API_PURCHASEORDER_PROCESS_SRV @(path:'API_PURCHASEORDER_PROCESS_SRV',requires:'authenticated-user') { entity A_PurchaseOrder as projection on sap.PurchaseOrder; }
service API_MATERIAL_DOCUMENT_SRV @(path:'API_MATERIAL_DOCUMENT_SRV',requires:'authenticated-user') { entity A_MaterialDocumentHeader as projection on sap.MaterialDocumentHeader; entity A_MaterialDocumentItem as projection on sap.MaterialDocumentItem; }
service API_PRODUCTION_ORDER_2_SRV @(path:'API_PRODUCTION_ORDER_2_SRV',requires:'authenticated-user') { entity A_ProductionOrder_2 as projection on sap.ProductionOrder; }
@path:'/sap/opu/odata4/sap/rsau_log_api/srvd_a2x/sap/rsau_log_api/0001'
service RSAU_LOG_API @(requires:'authenticated-user') { entity SecurityAuditLog as projection on sap.Log; }
@path:'/sap/opu/odata4/sap/api_salesorder/srvd_a2x/sap/salesorder/0001'
service SALES4 @(requires:'authenticated-user') { entity SalesOrder as projection on sap.SalesOrder; }
@path:'/sap/opu/odata4/sap/api_purchaseorder_2/srvd_a2x/sap/purchaseorder/0001'
service PURCH4 @(requires:'authenticated-user') { entity PurchaseOrder as projection on sap.PurchaseOrder; }
